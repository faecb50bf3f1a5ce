"""The one script that decides a demand, as ``Spent`` of the domain says it."""

# Each subject has two keys, a hash of what was spent and a sorted set of the places that are held,
# and five arguments. All keys of a team are in one slot of a cluster. Places are leases: the score
# is when they end, on the server's clock.
MOVE = """
local act, id, lease_s = ARGV[1], ARGV[2], tonumber(ARGV[3])
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1000000
local tolerance = 0.000001
local subjects = {}
local fits = true

local function grown_back(spent, per_minute, elapsed)
    if not per_minute then return 0 end
    return math.max(0, (tonumber(spent) or 0) - elapsed * per_minute / 60)
end

for i = 1, #KEYS / 2 do
    local a = 3 + (i - 1) * 5
    local s = {
        rpm = tonumber(ARGV[a + 1]), tpm = tonumber(ARGV[a + 2]), places = tonumber(ARGV[a + 3]),
        d_requests = tonumber(ARGV[a + 4]), d_tokens = tonumber(ARGV[a + 5]), running = 0,
    }
    local stored = redis.call('HMGET', KEYS[2 * i - 1], 'requests', 'tokens', 'at')
    local elapsed = math.max(0, now - (tonumber(stored[3]) or now))
    s.requests = grown_back(stored[1], s.rpm, elapsed)
    s.tokens = grown_back(stored[2], s.tpm, elapsed)
    if s.places then
        if act ~= 'look' then redis.call('ZREM', KEYS[2 * i], id) end
        redis.call('ZREMRANGEBYSCORE', KEYS[2 * i], '-inf', now)
        s.running = redis.call('ZCARD', KEYS[2 * i])
    end
    if act == 'take' and (
        (s.rpm and s.requests + s.d_requests > s.rpm + tolerance)
        or (s.tpm and s.tokens + s.d_tokens > s.tpm + tolerance)
        or (s.places and s.running >= s.places)
    ) then fits = false end
    subjects[i] = s
end

local answer = {fits and 1 or 0}
for i, s in ipairs(subjects) do
    if fits then
        s.requests = math.max(0, s.requests + s.d_requests)
        s.tokens = math.max(0, s.tokens + s.d_tokens)
        if act == 'take' and s.places then
            redis.call('ZADD', KEYS[2 * i], now + lease_s, id)
            redis.call('PEXPIRE', KEYS[2 * i], math.ceil(lease_s * 2000))
            s.running = s.running + 1
        end
    end
    local full_in = math.max(
        s.rpm and s.requests * 60 / s.rpm or 0, s.tpm and s.tokens * 60 / s.tpm or 0)
    redis.call('HSET', KEYS[2 * i - 1],
        'requests', string.format('%.6f', s.requests),
        'tokens', string.format('%.6f', s.tokens),
        'at', string.format('%.6f', now))
    redis.call('EXPIRE', KEYS[2 * i - 1], math.ceil(full_in) + 60)
    answer[#answer + 1] = string.format('%.6f', s.requests)
    answer[#answer + 1] = string.format('%.6f', s.tokens)
    answer[#answer + 1] = s.running
end
return answer
"""

# Places that are still held, again for the length of a lease; also those that a server lost with
# its memory.
RENEW = """
local time = redis.call('TIME')
local ends = tonumber(time[1]) + tonumber(time[2]) / 1000000 + tonumber(ARGV[1])
for i = 2, #ARGV do redis.call('ZADD', KEYS[1], ends, ARGV[i]) end
redis.call('PEXPIRE', KEYS[1], math.ceil(ARGV[1] * 2000))
"""
