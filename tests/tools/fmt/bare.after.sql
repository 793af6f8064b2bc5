-- a rule of its own
SELECT *, payload.x AS y
FROM "t/#", 'u'
