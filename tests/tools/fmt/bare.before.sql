

-- a rule of its own
select *, payload.x   y
   from "t/#", 'u'


