# The builtins of jq 1.6 that are jq themselves. What they do follows jq 1.6's src/builtin.jq, down to its quirks,
# since EMQX's rules see them; jq is Copyright (C) 2012 Stephen Dolan and free under the MIT licence.

def halt_error: halt_error(5);
def error: error(.);
def map(f): [.[] | f];
def select(f): if f then . else empty end;
def add: reduce .[] as $x (null; . + $x);

# Sorting and grouping: the builtins take the keys beside the values.
def sort_by(f): _sort_by_impl(map([f]));
def group_by(f): _group_by_impl(map([f]));
def unique: group_by(.) | map(.[0]);
def unique_by(f): group_by(f) | map(.[0]);
def max_by(f): _max_by_impl(map([f]));
def min_by(f): _min_by_impl(map([f]));

# Paths and assignment. An update takes the first output; without one the path is deleted, while others wait.
def del(f): delpaths([path(f)]);
def _assign(paths; value): value as $v | reduce path(paths) as $p (.; setpath($p; $v));
def _modify(paths; update): reduce path(paths) as $p (.;
  label $done | (setpath($p; getpath($p) | update) | ., break $done), delpaths([$p]));
def map_values(f): .[] |= f;
def recurse(f): def r: ., (f | r); r;
def recurse(f; cond): def r: ., (f | select(cond) | r); r;
def recurse: recurse(.[]?);
def recurse_down: recurse;
def paths: path(recurse(if (type | . == "array" or . == "object") then .[] else empty end)) | select(length > 0);
def paths(f): . as $root | paths | select(. as $p | $root | getpath($p) | f);

# Objects as entries.
def to_entries: [keys_unsorted[] as $k | {key: $k, value: .[$k]}];
def from_entries:
  map({(.key // .Key // .name // .Name): (if has("value") then .value else .Value end)}) | add | . //= {};
def with_entries(f): to_entries | map(f) | from_entries;

def reverse: [.[length - 1 - range(0; length)]];
def indices($i):
  if type == "array" and ($i | type) == "array" then .[$i]
  elif type == "array" then .[[$i]]
  elif type == "string" and ($i | type) == "string" then _strindices($i)
  else .[$i] end;
def index($i): indices($i) | .[0];
def rindex($i): indices($i) | .[-1:][0];

# Any and all stop at the first output that decides.
def any(g; cond): [label $out | foreach g as $x (false;
  if . then break $out elif $x | cond then true else . end; if . then . else empty end)] | length == 1;
def any(cond): any(.[]; cond);
def any: any(.);
def all(g; cond): [label $out | foreach g as $x (true;
  if . | not then break $out elif $x | cond then . else false end; if . | not then . else empty end)] | length == 0;
def all(cond): all(.[]; cond);
def all: all(.);

# Selecting by type.
def isfinite: type == "number" and (isinfinite | not);
def arrays: select(type == "array");
def objects: select(type == "object");
def iterables: arrays, objects;
def booleans: select(type == "boolean");
def numbers: select(type == "number");
def normals: select(isnormal);
def finites: select(isfinite);
def strings: select(type == "string");
def nulls: select(type == "null");
def values: select(. != null);
def scalars: select(. == null or . == true or . == false or type == "number" or type == "string");
def scalars_or_empty: select(. == null or . == true or . == false or type == "number" or type == "string"
  or ((type == "array" or type == "object") and length == 0));
def leaf_paths: paths(scalars);

def join($sep): reduce .[] as $x (null;
  (if . == null then "" else . + $sep end)
  + ($x | if type == "boolean" or type == "number" then tostring else . // "" end)) // "";
def _flatten($depth): reduce .[] as $x ([];
  if $x | type == "array" and $depth != 0 then . + ($x | _flatten($depth - 1)) else . + [$x] end);
def flatten($depth): if $depth < 0 then error("flatten depth must not be negative") else _flatten($depth) end;
def flatten: _flatten(-1);
def range($n): range(0; $n);
def range($from; $to; $by):
  def _range: if ($by > 0 and . < $to) or ($by < 0 and . > $to) then ., (. + $by | _range) else . end;
  if $by == 0 then $from else $from | _range end | select(($by > 0 and . < $to) or ($by < 0 and . > $to));

# Dates.
def fromdateiso8601: strptime("%Y-%m-%dT%H:%M:%SZ") | mktime;
def todateiso8601: strftime("%Y-%m-%dT%H:%M:%SZ");
def fromdate: fromdateiso8601;
def todate: todateiso8601;

# Regular expressions. `f($re)` takes a text, or an array of a text and flags.
def match(re; flags): _match_impl(re; flags; false) | .[];
def match($val): ($val | type) as $t
  | if $t == "string" then match($val; null)
    elif $t == "array" and ($val | length) > 1 then match($val[0]; $val[1])
    elif $t == "array" and ($val | length) > 0 then match($val[0]; null)
    else error($t + " not a string or array") end;
def test(re; flags): _match_impl(re; flags; true);
def test($val): ($val | type) as $t
  | if $t == "string" then test($val; null)
    elif $t == "array" and ($val | length) > 1 then test($val[0]; $val[1])
    elif $t == "array" and ($val | length) > 0 then test($val[0]; null)
    else error($t + " not a string or array") end;
def _named: reduce (.captures | .[] | select(.name != null) | {(.name): .string}) as $pair ({}; . + $pair);
def capture(re; flags): match(re; flags) | _named;
def capture($val): ($val | type) as $t
  | if $t == "string" then capture($val; null)
    elif $t == "array" and ($val | length) > 1 then capture($val[0]; $val[1])
    elif $t == "array" and ($val | length) > 0 then capture($val[0]; null)
    else error($t + " not a string or array") end;
def scan(re): match(re; "g") | if (.captures | length > 0) then [.captures | .[] | .string] else .string end;
def _nwise(a; $n): if a | length <= $n then a else a[0:$n], _nwise(a[$n:]; $n) end;
def _nwise($n): _nwise(.; $n);
def splits($re; flags): . as $s
  | [match($re; "g" + flags) | (.offset, .offset + .length)]
  | [0] + . + [$s | length]
  | _nwise(2)
  | $s[.[0]:.[1]];
def splits($re): splits($re; null);
def split($re; flags): [splits($re; flags)];
def sub($re; s; flags):
  def without_g: [explode[] | select(. != 103)] | implode;
  def once(fla; again):
    def rest: . as $in
      | [match($re; fla)]
      | if length == 0 then $in
        else .[0] as $edit
          | ($edit | .offset + .length) as $stop
          | ($edit | _named)
          | $in[0:$edit.offset] + s + ($in[$stop:] | if length > 0 and again then rest else . end)
        end;
    rest;
  (flags | index("g")) as $again
  | (flags | if $again then without_g else . end) as $fla
  | once($fla; $again);
def sub($re; s): sub($re; s; "");
def gsub($re; s; flags): sub($re; s; flags + "g");
def gsub($re; s): sub($re; s; "g");

# Generators.
def while(cond; update): def _while: if cond then ., (update | _while) else empty end; _while;
def until(cond; next): def _until: if cond then . else (next | _until) end; _until;
def limit($n; f): if $n < 0 then f
  else label $out | foreach f as $x ($n; . - 1; $x, if . <= 0 then break $out else empty end) end;
def isempty(g): 0 == ((label $go | g | (1, break $go)) // 0);
def first(g): label $out | g | ., break $out;
def last(g): reduce g as $x (null; $x);
def nth($n; g): if $n < 0 then error("nth doesn't support negative indices") else last(limit($n + 1; g)) end;
def first: .[0];
def last: .[-1];
def nth($n): .[$n];
def repeat(f): def _repeat: f, _repeat; _repeat;
def combinations: if length == 0 then [] else .[0][] as $x | (.[1:] | combinations) as $rest | [$x] + $rest end;
def combinations(n): . as $one | [range(n) | $one] | combinations;
def transpose: if . == [] then []
  else . as $in
    | (map(length) | max) as $max
    | length as $length
    | reduce range(0; $max) as $j ([]; . + [reduce range(0; $length) as $i ([]; . + [$in[$i][$j]])])
  end;
def in(xs): . as $x | xs | has($x);
def inside(xs): . as $x | xs | contains($x);
def input: _input;
def inputs: try repeat(_input) catch if . == "break" then empty else . | error end;
def walk(f): . as $in
  | if type == "object" then reduce keys_unsorted[] as $key ({}; . + {($key): ($in[$key] | walk(f))}) | f
    elif type == "array" then map(walk(f)) | f
    else f end;

# Streams of paths and values.
def truncate_stream(stream): . as $n | null | stream | . as $input
  | if (.[0] | length) > $n then setpath([0]; $input[0][$n:]) else empty end;
def fromstream(i): foreach i as $item (
  [null, false, null, false];
  if ($item[0] | length) == 0 then [null, false, .[2], .[3]]
  elif ($item | length) == 1 and ($item[0] | length) < 2 then [null, false, .[0], .[1]]
  else . end
  | . as $state
  | if ($item | length) > 1 and ($item[0] | length) > 0
    then [.[0] | setpath(($item | .[0]); ($item | .[1])), true, $state[2], $state[3]]
    else . end;
  if ($item[0] | length) == 1 and ($item | length == 1) and .[3] then .[2] else empty end,
  if ($item[0] | length) == 0 then $item[1] else empty end);
def tostream: {string: true, number: true, boolean: true, null: true} as $leaf | . as $dot
  | if $leaf[$dot | type] or length == 0 then [[], $dot]
    else keys_unsorted as $keys
      | $keys[-1] as $last
      | (($keys[] | . as $key | $dot[$key] | . as $dot | tostream | .[0] |= [$key] + .), [[$last]])
    end;

def bsearch(target):
  if length == 0 then -1
  elif length == 1 then if target == .[0] then 0 elif target < .[0] then -1 else -2 end
  else . as $in
    | [0, length - 1, null]
    | until(.[0] > .[1];
        if .[2] != null then (.[1] = -1)
        else (((.[1] + .[0]) / 2) | floor) as $mid
          | $in[$mid] as $value
          | if $value == target then (.[2] = $mid)
            elif .[0] == .[1] then (.[1] = -1)
            elif $value < target then (.[0] = ($mid + 1))
            else (.[1] = ($mid - 1)) end
        end)
    | if .[2] == null then if $in[.[0]] < target then (-2 - .[0]) else (-1 - .[0]) end else .[2] end
  end;

# Tables.
def INDEX(stream; key): reduce stream as $row ({}; .[$row | key | if type != "string" then tojson else . end] |= $row);
def INDEX(key): INDEX(.[]; key);
def JOIN($idx; key): [.[] | [., $idx[key]]];
def JOIN($idx; stream; key): stream | [., $idx[key]];
def JOIN($idx; stream; key; join): stream | [., $idx[key]] | join;
def IN(s): reduce (first(select(. == s)) | true) as $v (false; if . or $v then true else false end);
def IN(src; s): reduce (src | IN(s)) as $v (false; if . or $v then true else false end);
