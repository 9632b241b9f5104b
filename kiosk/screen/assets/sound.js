// Three short soft tones and a low one, made by the browser: seen, recorded, not taken, in trouble. Each stands
// beside a sign and a word; who hears nothing misses nothing. Chromium makes them only when it is started with
// --autoplay-policy=no-user-gesture-required, for nobody touches this page before the first card.

const LOUDNESS = 0.14; // of the loudspeaker's full swing
const RISE_S = 0.015; // a tone that starts at once cracks
const TONES = {
  // [hertz, begins after s, lasts s]: thirds and fifths, low enough for old ears
  seen: [[784, 0, 0.22]],
  recorded: [[659, 0, 0.18], [988, 0.14, 0.42]],
  refused: [[440, 0, 0.2], [392, 0.2, 0.35]],
  trouble: [[330, 0, 0.45]],
};
const TROUBLED = ["trouble", "full", "overload"];

let audio = null;

/** Which tone a view asks for beside the one before it, or null. The first view of a line asks for none. */
export function toneOf(view, before) {
  if (before === null || view.quiet) return null;
  if (view.records !== before.records) return "recorded";
  if (view.refusals !== before.refusals) return "refused";
  if (view.checkins !== before.checkins) return "seen";
  return troubled(view) && !troubled(before) ? "trouble" : null;
}

/** Nothing can be recorded, or the bin in use is not as usual. */
function troubled(view) {
  if (view.storage_trouble) return true;
  return view.bins.some((one) => one.bin === view.bin && (one.locked || TROUBLED.includes(one.state)));
}

export function play(name) {
  audio ??= new AudioContext();
  if (audio.state === "suspended") audio.resume();
  for (const [hertz, after, lasts] of TONES[name]) {
    const from = audio.currentTime + after;
    const tone = new OscillatorNode(audio, { type: "sine", frequency: hertz });
    const loudness = new GainNode(audio, { gain: 0 });
    loudness.gain.setValueAtTime(0, from);
    loudness.gain.linearRampToValueAtTime(LOUDNESS, from + RISE_S);
    loudness.gain.exponentialRampToValueAtTime(LOUDNESS / 1000, from + lasts);
    tone.connect(loudness).connect(audio.destination);
    tone.start(from);
    tone.stop(from + lasts);
  }
}
