SELECT
  a, -- one
  b
FROM t
WHERE c = 1
