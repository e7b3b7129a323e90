-- Reads the document, or how many bytes it has if they are more than are read.
-- KEYS: the document. ARGV: the most bytes.
local size = redis.call('STRLEN', KEYS[1])
if size > tonumber(ARGV[1]) then
  return size
end
return redis.call('GET', KEYS[1])
