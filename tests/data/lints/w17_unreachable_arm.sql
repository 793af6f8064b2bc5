SELECT
  CASE
    WHEN payload.t > 20 THEN 'warm'
    WHEN payload.t > 30 AND payload.wind < 3 THEN 'hot'
    WHEN 10 > payload.t THEN 'cold'
    WHEN payload.t = 5 OR payload.t < -3 THEN 'icy'
    WHEN payload.t >= 20 THEN 'mild'
    WHEN true THEN 'other'
    WHEN payload.x = 1 THEN 'never'
  END AS how,
  CASE payload.mode WHEN 1 THEN 'a' WHEN 2 THEN 'b' WHEN 1 THEN 'c' END AS mode,
  CASE WHEN random() > 0.5 THEN 1 WHEN random() > 0.5 THEN 2 END AS dice
FROM "t/1"
