"""What every account has, in SQL that SQLite and PostgreSQL read alike (see ``views``)."""

from __future__ import annotations

BALANCE = """
CREATE VIEW balance AS
SELECT a.city, a.account, a.names, a.earned, coalesce(c.corrected, 0) AS corrected,
    a.earned + coalesce(c.corrected, 0) AS points
FROM (
    SELECT city, account, count(*) AS names, CAST(sum(earned) AS BIGINT) AS earned
    FROM point_name GROUP BY city, account
) a LEFT JOIN (
    SELECT n.city, n.account, CAST(sum(j.points) AS BIGINT) AS corrected
    FROM point_correction j JOIN point_name n ON n.city = j.city AND n.name = j.name
    GROUP BY n.city, n.account
) c ON c.city = a.city AND c.account = a.account
"""
