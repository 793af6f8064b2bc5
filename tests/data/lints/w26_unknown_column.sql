FOREACH payload.items AS i
DO
  client_id AS id,
  i.x AS x,
  colour AS colour,
  retain AS retain,
  proto_ver AS version,
  TRUE AS yes,
  null AS nothing,
  undefined AS missing
INCASE i.y != null OR i.y = NULL
FROM "t/1"
WHERE temperature = 5
