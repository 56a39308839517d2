-- The load of one run for wrk. Arguments: kind (event, storm, alert, post100, hundred), path, key, run.
-- Every request has a key of its own (storm: all have one); only done() looks at the outcome.

local function fill(text, length)
  return text .. string.rep("x", length - #text)
end

local kind, path, key, run
local number = 0
local head

local function post(body)
  return head .. #body .. "\r\n\r\n" .. body
end

local function event(name)
  return '{"routing_key": "' .. key .. '", "event_action": "trigger", "dedup_key": "' .. name ..
    '", "payload": {"summary": "Disk will fill in four hours on db1.example.org", "source": "db1.example.org",' ..
    ' "severity": "critical", "component": "postgresql", "group": "prod-shop", "class": "disk",' ..
    ' "custom_details": {"free": "1%", "mount": "/var/lib/postgresql", "note": "' .. fill("", 240) ..
    '"}}, "client": "bench", "client_url": "https://monitoring.example.org/"}'
end

local function labels(name)
  return '"labels": {"alertname": "DiskWillFill", "severity": "critical", "instance": "' .. name ..
    '", "job": "node", "team": "platform", "mount": "/var/lib/postgresql"}, "annotations": {"summary":' ..
    ' "Disk will fill in four hours", "description": "' .. fill("", 240) .. '"}'
end

-- As a client posts alerts to Alertmanager.
local function alert(name)
  return '{' .. labels(name) .. ', "generatorURL": "https://prometheus.example.org/graph"}'
end

-- As Alertmanager posts them to a webhook.
local function told(name)
  return '{"status": "firing", ' .. labels(name) .. ', "startsAt": "2026-03-03T09:00:00Z",' ..
    ' "endsAt": "0001-01-01T00:00:00Z", "fingerprint": "' .. name .. '"}'
end

local function hundred(one, first, last, name)
  local parts = {}
  for part = 1, 100 do
    parts[part] = one(name .. "-" .. part)
  end
  return first .. table.concat(parts, ",") .. last
end

local bodies = {
  event = function(name) return event(name) end,
  storm = function() return event("the one key") end,
  alert = function(name) return "[" .. alert(name) .. "]" end,
  alertstorm = function() return "[" .. alert("the one key") .. "]" end,
  post100 = function(name) return hundred(alert, "[", "]", name) end,
  hundred = function(name)
    return hundred(told, '{"version": "4", "groupKey": "{}", "status": "firing", "receiver": "watchbill",' ..
      ' "groupLabels": {}, "commonLabels": {}, "commonAnnotations": {}, "externalURL": "http://am", "alerts": [',
      "]}", name)
  end,
}

function init(args)
  kind, path, key, run = args[1], args[2], args[3], args[4]
  head = "POST " .. path .. " HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\nContent-Length: "
end

function request()
  number = number + 1
  return post(bodies[kind](string.format("%s-%09d", run, number)))
end

function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format("RESULT %d %d %d %d %.1f %.1f\n", summary.requests, errors.status, summary.duration,
    errors.connect + errors.read + errors.write + errors.timeout, latency:percentile(50), latency:percentile(99)))
end
