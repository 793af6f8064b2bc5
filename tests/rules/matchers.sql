SELECT
  payload.map as map, payload.list as list, payload.text as text, payload.json as json,
  payload.int as int, payload.float as float, payload.big as big, payload.null as null_value, payload.bytes as bytes,
  payload.bool as bool, missing as missing, event, payload.'$dollar' as dollar
FROM "t/#"
