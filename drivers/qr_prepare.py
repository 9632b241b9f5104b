"""Preparations of grey pictures: sizes, sharpness, thresholds, even light, worn print. Pure functions."""

from __future__ import annotations

import numpy as np

from drivers.vision import Gray, load_cv2


def scaled(gray: Gray, factor: float) -> Gray:
    cv2 = load_cv2()
    how = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    other: Gray = cv2.resize(gray, None, fx=factor, fy=factor, interpolation=how)
    return other


def within(gray: Gray, side_px: int) -> Gray:
    """Made smaller, if it has to be, to a longer side of ``side_px``."""
    return gray if max(gray.shape) <= side_px else scaled(gray, side_px / max(gray.shape))


def sharp(gray: Gray, sigma_px: float = 2.0, strength: float = 1.5) -> Gray:
    """Unsharp mask, for a card out of focus."""
    cv2 = load_cv2()
    soft = cv2.GaussianBlur(gray, (0, 0), sigma_px)
    clear: Gray = cv2.addWeighted(gray, 1 + strength, soft, -strength, 0)
    return clear


def threshold(gray: Gray, block_px: int = 41, below: int = 5) -> Gray:
    """Black or white against the neighbourhood, for shadow and glare."""
    cv2 = load_cv2()
    how = cv2.ADAPTIVE_THRESH_GAUSSIAN_C
    black: Gray = cv2.adaptiveThreshold(gray, 255, how, cv2.THRESH_BINARY, block_px, below)
    return black


def stretched(gray: Gray) -> Gray:
    """From the darkest to the lightest hundredth, for what is far too dark or too pale."""
    cv2 = load_cv2()
    low, high = np.percentile(gray[::4, ::4], (1, 99))
    gain = 255 / max(1.0, high - low)
    wide: Gray = cv2.convertScaleAbs(np.maximum(gray, int(low)), alpha=gain, beta=-low * gain)
    return wide


def evened(gray: Gray) -> Gray:
    """Contrast evened out region by region (CLAHE)."""
    made: Gray = load_cv2().createCLAHE(4.0, (8, 8)).apply(gray)
    return made


def lit_evenly(gray: Gray) -> Gray:
    """Divided by the paper's brightness round about (a closing, smoothed)."""
    cv2 = load_cv2()
    small = within(gray, 320)
    span = max(3, min(small.shape) // 12) | 1
    paper = cv2.morphologyEx(small, cv2.MORPH_CLOSE, np.ones((span, span), np.uint8))
    paper = cv2.GaussianBlur(paper, (0, 0), span / 3)
    paper = cv2.resize(paper, (gray.shape[1], gray.shape[0]))
    made: Gray = cv2.divide(gray, paper, scale=235)
    return made


def standing_out(gray: Gray, reach_px: int = 15) -> Gray:
    """Grey against the neighbourhood's mean, in its own deviations."""
    cv2 = load_cv2()
    levels = gray.astype(np.float32)
    size = (2 * reach_px + 1, 2 * reach_px + 1)
    mean = cv2.blur(levels, size)
    spread = np.sqrt(np.maximum(cv2.blur(levels * levels, size) - mean * mean, 4))
    return np.asarray(np.clip(128 + 55 * (levels - mean) / spread, 0, 255), np.uint8)


def refocused(gray: Gray, radius_px: float) -> Gray:
    """A lens's disc of ``radius_px`` taken back, as far as noise lets (Wiener)."""
    levels = gray.astype(np.float32) / 255
    height, width = gray.shape
    y, x = np.mgrid[:height, :width].astype(np.float32)
    away = np.hypot(np.minimum(x, width - x), np.minimum(y, height - y))
    disc = np.clip(radius_px + 0.5 - away, 0, 1)
    lens = np.fft.rfft2(disc / disc.sum())
    clear = np.fft.irfft2(
        np.fft.rfft2(levels) * np.conj(lens) / (np.abs(lens) ** 2 + 0.01), s=gray.shape
    )
    low, high = np.percentile(clear[::4, ::4], (1, 99))
    wide = (clear - low) * (255 / max(1e-3, float(high - low)))
    return np.asarray(np.clip(wide, 0, 255), np.uint8)


def closed(gray: Gray, size_px: int) -> Gray:
    """Dark specks in white gone."""
    cv2 = load_cv2()
    made: Gray = cv2.morphologyEx(gray, cv2.MORPH_CLOSE, np.ones((size_px, size_px), np.uint8))
    return made


def opened(gray: Gray, size_px: int) -> Gray:
    """Light scratches in black gone."""
    cv2 = load_cv2()
    made: Gray = cv2.morphologyEx(gray, cv2.MORPH_OPEN, np.ones((size_px, size_px), np.uint8))
    return made


def halfway(gray: Gray, reach_px: int) -> Gray:
    """Black below the middle between the darkest and the lightest nearby (Bernsen): keeps its place
    at the hard edge of a shadow, where a mean leans to the lighter side."""
    cv2 = load_cv2()
    quiet = cv2.GaussianBlur(gray, (0, 0), 1.0)
    near = np.ones((reach_px, reach_px), np.uint8)
    low = cv2.blur(cv2.erode(quiet, near), (reach_px, reach_px))
    high = cv2.blur(cv2.dilate(quiet, near), (reach_px, reach_px))
    middle = cv2.addWeighted(low, 0.5, high, 0.5, -1)
    black: Gray = cv2.compare(quiet, middle, cv2.CMP_GT)
    return black
