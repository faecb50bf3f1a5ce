"""The script that decides a batch of demands one after the other, as ``Spent`` of the domain says
it."""

# An item is an act, the id of its place and the number of its subjects. Each subject has two keys,
# a hash of what was spent and a sorted set of the places that are held, and five arguments. Places
# are leases: the score is when they end, on the server's clock. Only a "take" may be refused; a
# "count" says that one was taken, and all others but a "look" free the place.
MOVE = """
local lease_s = tonumber(ARGV[1])
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1000000
local tolerance = 0.000001
local k, a = 0, 1

local function key()
    k = k + 1
    return KEYS[k]
end

local function argument()
    a = a + 1
    return ARGV[a]
end

local function grown_back(spent, per_minute, elapsed)
    if not per_minute then return 0 end
    return math.max(0, (tonumber(spent) or 0) - elapsed * per_minute / 60)
end

local function look(act, id)
    local s = {
        counter = key(), slots = key(),
        rpm = tonumber(argument()), tpm = tonumber(argument()), places = tonumber(argument()),
        d_requests = tonumber(argument()), d_tokens = tonumber(argument()), running = 0,
    }
    local stored = redis.call('HMGET', s.counter, 'requests', 'tokens', 'at')
    local elapsed = math.max(0, now - (tonumber(stored[3]) or now))
    s.requests = grown_back(stored[1], s.rpm, elapsed)
    s.tokens = grown_back(stored[2], s.tpm, elapsed)
    if s.places then
        if act ~= 'look' then redis.call('ZREM', s.slots, id) end
        redis.call('ZREMRANGEBYSCORE', s.slots, '-inf', now)
        s.running = redis.call('ZCARD', s.slots)
    end
    s.fits = act ~= 'take' or not (
        (s.rpm and s.requests + s.d_requests > s.rpm + tolerance)
        or (s.tpm and s.tokens + s.d_tokens > s.tpm + tolerance)
        or (s.places and s.running >= s.places))
    return s
end

local function move(act, id, s)
    s.requests = math.max(0, s.requests + s.d_requests)
    s.tokens = math.max(0, s.tokens + s.d_tokens)
    if (act == 'take' or act == 'count') and s.places then
        redis.call('ZADD', s.slots, now + lease_s, id)
        redis.call('PEXPIRE', s.slots, math.ceil(lease_s * 2000))
        s.running = s.running + 1
    end
end

local function store(s)
    local full_in = math.max(
        s.rpm and s.requests * 60 / s.rpm or 0, s.tpm and s.tokens * 60 / s.tpm or 0)
    redis.call('HSET', s.counter,
        'requests', string.format('%.6f', s.requests),
        'tokens', string.format('%.6f', s.tokens),
        'at', string.format('%.6f', now))
    redis.call('EXPIRE', s.counter, math.ceil(full_in) + 60)
end

local answers = {}
while a < #ARGV do
    local act, id, count = argument(), argument(), tonumber(argument())
    local subjects, fits = {}, true
    for i = 1, count do
        subjects[i] = look(act, id)
        fits = fits and subjects[i].fits
    end
    local answer = {fits and 1 or 0}
    for _, s in ipairs(subjects) do
        if fits then move(act, id, s) end
        store(s)
        answer[#answer + 1] = string.format('%.6f', s.requests)
        answer[#answer + 1] = string.format('%.6f', s.tokens)
        answer[#answer + 1] = s.running
    end
    answers[#answers + 1] = answer
end
return answers
"""

# Places that are still held, again for the length of a lease; also those that a server lost with
# its memory.
RENEW = """
local time = redis.call('TIME')
local ends = tonumber(time[1]) + tonumber(time[2]) / 1000000 + tonumber(ARGV[1])
for i = 2, #ARGV do redis.call('ZADD', KEYS[1], ends, ARGV[i]) end
redis.call('PEXPIRE', KEYS[1], math.ceil(ARGV[1] * 2000))
"""
