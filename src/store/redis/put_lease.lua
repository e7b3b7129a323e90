-- Puts a lease, unless another holder has it and it is to be absent.
-- KEYS: the lease, the index of names. ARGV: name, holder with its length, the whole value, time to
-- live in milliseconds, whether it is to be absent, what keys of leases begin with, the most bytes that
-- are read. What has more is nobody's, and in the way; its size is told.
local size = redis.call('STRLEN', KEYS[1])
if ARGV[5] == '1' and size > tonumber(ARGV[7]) then
  return {size, redis.call('PTTL', KEYS[1])}
end
local held = ARGV[5] == '1' and redis.call('GET', KEYS[1])
if held and string.sub(held, 1, #ARGV[2]) ~= ARGV[2] then
  return {held, redis.call('PTTL', KEYS[1])}
end
redis.call('SET', KEYS[1], ARGV[3], 'PX', ARGV[4])
redis.call('ZADD', KEYS[2], 0, ARGV[1])
-- The index outlives its leases. Twice as long, so that not each renewal has to say so.
if redis.call('PTTL', KEYS[2]) < tonumber(ARGV[4]) then
  redis.call('PEXPIRE', KEYS[2], 2 * ARGV[4])
end
-- Names whose lease has lapsed leave the index when somebody puts one: each looks after the next two
-- in the order of names, so that a put costs the same however many leases there are.
local next = redis.call('ZRANGEBYLEX', KEYS[2], '(' .. ARGV[1], '+', 'LIMIT', 0, 2)
if #next == 0 then
  next = redis.call('ZRANGEBYLEX', KEYS[2], '-', '(' .. ARGV[1], 'LIMIT', 0, 2)
end
for _, name in ipairs(next) do
  if redis.call('EXISTS', ARGV[6] .. name) == 0 then
    redis.call('ZREM', KEYS[2], name)
  end
end
return {}
