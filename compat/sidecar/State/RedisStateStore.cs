using System.Globalization;
using LocalPlus.Sidecar.Resources;
using LocalPlus.Sidecar.Valkey;

namespace LocalPlus.Sidecar.State;

/// <summary>
/// state.redis: a hash with the fields <c>data</c> and <c>version</c> for each key, changed by scripts so that the
/// version is checked and raised in one step.
/// </summary>
internal sealed class RedisStateStore(Component definition) : IStateStore
{
    // KEYS[1]; ARGV: expected version ("0" = any), data, "0" for first-write.
    private static readonly ValkeyScript SetScript = new(
        """
        local version = redis.pcall("HGET", KEYS[1], "version")
        if type(version) == "table" then
          redis.call("DEL", KEYS[1])
          version = false
        end
        local guarded = redis.pcall("HGET", KEYS[1], "first-write")
        if version and version ~= "" and version ~= ARGV[1] and (guarded or ARGV[1] ~= "0") then
          return redis.error_reply("ERR failed to set key " .. KEYS[1])
        end
        redis.call("HSET", KEYS[1], "data", ARGV[2])
        if ARGV[3] == "0" then
          redis.call("HSET", KEYS[1], "first-write", 0)
        end
        return redis.call("HINCRBY", KEYS[1], "version", 1)
        """
    );

    private static readonly ValkeyScript DeleteScript = new(
        """
        local version = redis.pcall("HGET", KEYS[1], "version")
        if version and type(version) ~= "table" and version ~= "" and version ~= ARGV[1] and ARGV[1] ~= "0" then
          return redis.error_reply("ERR failed to delete " .. KEYS[1])
        end
        return redis.call("DEL", KEYS[1])
        """
    );

    private readonly ValkeyClient client = new(ValkeySettings.From(definition));
    private readonly int? defaultTtl = definition.Get("ttlInSeconds") is null
        ? null
        : definition.Int("ttlInSeconds", 0);
    private int replicas;

    public Component Definition => definition;

    public IReadOnlyList<string> Capabilities => ["ETAG", "TRANSACTIONAL", "TTL", "DELETE_WITH_PREFIX", "ACTOR"];

    public bool EscapesHtml => false;

    public async Task InitAsync(CancellationToken cancel)
    {
        await client.PingAsync(cancel);
        var info = (await client.ExecuteAsync("INFO", "replication")).Text;
        var line = info.Split('\n').FirstOrDefault(l => l.StartsWith("connected_slaves:", StringComparison.Ordinal));
        replicas =
            line is not null
            && int.TryParse(line.AsSpan(line.IndexOf(':', StringComparison.Ordinal) + 1).Trim(), out var count)
                ? count
                : 0;
    }

    public async ValueTask<StateEntry?> GetAsync(string key, bool strong)
    {
        try
        {
            return Entry(await client.ExecuteAsync("HGETALL", key));
        }
        catch (ValkeyException refusal) when (refusal.FromServer)
        {
            return await GetPlainAsync(key);
        }
    }

    public async ValueTask<StateEntry?[]> GetManyAsync(IReadOnlyList<string> keys)
    {
        var replies = await client.ExecuteAllAsync([.. keys.Select(k => new RespArg[] { "HGETALL", k })]);
        var entries = new StateEntry?[keys.Count];
        for (var i = 0; i < entries.Length; i++)
        {
            try
            {
                entries[i] = replies[i].Error is null ? Entry(replies[i]) : await GetPlainAsync(keys[i]);
            }
            catch (Exception problem) when (problem is StateException or ValkeyException { FromServer: true })
            {
                entries[i] = new StateEntry(default, "") { Error = problem.Message };
            }
        }
        return entries;
    }

    public async ValueTask SetAsync(StateOperation operation)
    {
        var version = Version(operation);
        var ttl = Ttl(operation);
        try
        {
            await client.EvaluateAsync(
                SetScript,
                1,
                operation.Key,
                version,
                operation.Value,
                operation.Concurrency == StateConcurrency.FirstWrite ? "0" : "1"
            );
        }
        catch (ValkeyException refusal) when (refusal.FromServer)
        {
            throw operation.HasETag
                ? StateException.Mismatch(refusal.Message)
                : new StateException(
                    StateFailure.Other,
                    $"failed to set key {operation.Key}: {refusal.Message}",
                    refusal
                );
        }
        if (Expiry(operation.Key, ttl) is { } expiry)
        {
            await client.ExecuteAsync(expiry);
        }
        if (operation.Strong && replicas > 0)
        {
            await client.ExecuteAsync("WAIT", replicas, 1000);
        }
    }

    public async ValueTask DeleteAsync(StateOperation operation)
    {
        try
        {
            await client.EvaluateAsync(DeleteScript, 1, operation.Key, operation.HasETag ? operation.ETag! : "0");
        }
        catch (ValkeyException refusal) when (refusal.FromServer)
        {
            throw StateException.Mismatch(refusal.Message);
        }
    }

    /// <summary>MULTI/EXEC: the commands run together, but what one of them refuses does not undo the others.</summary>
    public async ValueTask TransactAsync(IReadOnlyList<StateOperation> operations)
    {
        var commands = new List<RespArg[]>(operations.Count + 2) { new RespArg[] { "MULTI" } };
        foreach (var operation in operations)
        {
            if (operation.IsDelete)
            {
                commands.Add(["EVAL", DeleteScript.Text, 1, operation.Key, operation.HasETag ? operation.ETag! : "0"]);
                continue;
            }
            commands.Add(["EVAL", SetScript.Text, 1, operation.Key, Version(operation), operation.Value]);
            if (Expiry(operation.Key, Ttl(operation)) is { } expiry)
            {
                commands.Add(expiry);
            }
        }
        commands.Add(["EXEC"]);
        var replies = await client.ExecuteAllAsync(commands);
        foreach (var reply in replies[^1].OrThrow().Items)
        {
            reply.OrThrow();
        }
    }

    public ValueTask DisposeAsync() => client.DisposeAsync();

    private static StateEntry? Entry(RespValue reply)
    {
        var fields = reply.Items;
        byte[]? data = null;
        var version = "";
        for (var i = 0; i + 1 < fields.Length; i += 2)
        {
            var name = fields[i].Bytes.AsSpan();
            if (name.SequenceEqual("data"u8))
            {
                data = fields[i + 1].Bytes;
            }
            else if (name.SequenceEqual("version"u8))
            {
                version = fields[i + 1].Text;
            }
        }
        return fields.Length == 0 ? null
            : data is null || version.Length == 0
                ? throw new StateException(StateFailure.Other, "required hash field 'data' or 'version' was not found")
            : new StateEntry(data, version);
    }

    /// <summary>A key that somebody set as a plain string is readable and has no version.</summary>
    private async Task<StateEntry?> GetPlainAsync(string key) =>
        (await client.ExecuteAsync("GET", key)).Bytes is { } data ? new StateEntry(data, "") : null;

    private static string Version(StateOperation operation)
    {
        if (operation.Concurrency == StateConcurrency.LastWrite || !operation.HasETag)
        {
            return "0";
        }
        return long.TryParse(
            operation.ETag,
            NumberStyles.AllowLeadingSign,
            CultureInfo.InvariantCulture,
            out var version
        )
            ? version.ToString(CultureInfo.InvariantCulture)
            : throw StateException.Invalid($"strconv.Atoi: parsing \"{operation.ETag}\": invalid syntax");
    }

    private int? Ttl(StateOperation operation)
    {
        if (!operation.Metadata.TryGetValue("ttlInSeconds", out var text) || text.Length == 0)
        {
            return defaultTtl;
        }
        return int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var seconds)
            ? seconds
            : throw new StateException(
                StateFailure.Other,
                $"failed to parse ttl from metadata: strconv.ParseInt: parsing \"{text}\": invalid syntax"
            );
    }

    /// <summary>Without a time to live the key keeps the one it has, as under daprd.</summary>
    private static RespArg[]? Expiry(string key, int? ttl) =>
        ttl switch
        {
            null => null,
            > 0 => ["EXPIRE", key, ttl.Value],
            _ => ["PERSIST", key],
        };
}
