SELECT
  upper(clientid),
  qos + 1,
  [1, 2],
  [1..3],
  CASE WHEN qos > 1 THEN 'a' ELSE 'b' END,
  7,
  qos = 1,
  'text',
  payload.x
FROM "t/1"
