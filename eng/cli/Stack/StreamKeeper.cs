using System.Globalization;

namespace LocalPlus.Cli;

/// <summary>
/// Keeps the broker's streams from filling its memory, for which Valkey would refuse every event: nothing takes an
/// entry out when all who subscribe have acknowledged it, and age alone would take what somebody still waits for. What
/// one group has not acknowledged stays, in all streams; if that is too much the broker refuses, and events wait in the
/// outboxes.
/// </summary>
internal sealed class StreamKeeper(int port, string password)
{
    public static readonly TimeSpan Pace = TimeSpan.FromSeconds(10);

    /// <summary>Of a stream that nobody has subscribed to.</summary>
    private const int UnreadEntries = 10_000;

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);

    /// <summary>Until it is told to stop. Valkey may be away: then the next round finds more.</summary>
    public async Task RunAsync(CancellationToken cancel)
    {
        while (true)
        {
            await Task.Delay(Pace, cancel);
            if (await TrimAsync(cancel) is null)
            {
                Console.WriteLine(
                    $"{DateTimeOffset.UtcNow:O} the broker's streams could not be trimmed, "
                        + $"next try in {Pace.TotalSeconds:0} s"
                );
            }
        }
    }

    /// <summary>
    /// How many entries went; null if Valkey did not answer. Whole nodes of a hundred go, the rest with the next.
    /// </summary>
    internal async Task<long?> TrimAsync(CancellationToken cancel)
    {
        var trim = new Command(
            Tools.Must("valkey-cli"),
            "-h",
            "127.0.0.1",
            "-p",
            $"{port}",
            "--raw",
            "EVAL",
            Script,
            "0",
            $"{UnreadEntries}"
        )
        {
            Environment = { ["REDISCLI_AUTH"] = password },
            Limit = Limit,
        };
        var result = await trim.RunAsync(cancel);
        return
            result.ExitCode == 0 && long.TryParse(result.Output.Trim(), CultureInfo.InvariantCulture, out var trimmed)
            ? trimmed
            : null;
    }

    private const string Script = """
        local function before(one, other)
          local a, b = one:match('(%d+)%-'), other:match('(%d+)%-')
          if a ~= b then return tonumber(a) < tonumber(b) end
          return tonumber(one:match('%-(%d+)')) < tonumber(other:match('%-(%d+)'))
        end

        local trimmed, cursor = 0, '0'
        repeat
          local page = redis.call('SCAN', cursor, 'COUNT', 1000, 'TYPE', 'stream')
          cursor = page[1]
          for _, stream in ipairs(page[2]) do
            local oldest
            for _, info in ipairs(redis.call('XINFO', 'GROUPS', stream)) do
              local group = {}
              for i = 1, #info, 2 do group[info[i]] = info[i + 1] end
              local needs = group['last-delivered-id']
              if group['pending'] > 0 then needs = redis.call('XPENDING', stream, group['name'])[2] end
              if not oldest or before(needs, oldest) then oldest = needs end
            end
            if oldest then
              trimmed = trimmed + redis.call('XTRIM', stream, 'MINID', '~', oldest, 'LIMIT', 0)
            else
              trimmed = trimmed + redis.call('XTRIM', stream, 'MAXLEN', '~', ARGV[1], 'LIMIT', 0)
            end
          end
        until cursor == '0'
        return trimmed
        """;
}
