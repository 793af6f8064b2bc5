SELECT
  payload.list[0] AS first,
  payload.list[-0].x AS last,
  payload.list[0..2] AS some,
  payload.list[payload.at[0]] AS nested,
  1 AS list[0]
FROM "t/1"
