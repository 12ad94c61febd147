using System.Diagnostics;
using System.Globalization;

namespace LocalPlus.Perf.GiftCards;

/// <summary>
/// Events on their way: in the outboxes, and in the broker as long as one subscriber has not acknowledged them. A rate
/// at which they pile up is none that the stack can hold.
/// </summary>
internal static class PendingEvents
{
    private static readonly string[] Outboxes = ["giftcard", "ledger", "wallet"];
    private static readonly TimeSpan DrainLimit = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(250);

    /// <summary>Waits until every event has arrived, or for the limit; how long that took.</summary>
    public static Task<TimeSpan> DrainAsync(CancellationToken cancel) => DrainAsync(Outboxes, cancel);

    /// <summary>As the other, of one outbox and the broker.</summary>
    public static Task<TimeSpan> DrainAsync(string database, CancellationToken cancel) =>
        DrainAsync([database], cancel);

    private static async Task<TimeSpan> DrainAsync(string[] databases, CancellationToken cancel)
    {
        var clock = Stopwatch.StartNew();
        while (await CountAsync(databases, cancel) > 0 && clock.Elapsed < DrainLimit)
        {
            await Task.Delay(Poll, cancel);
        }

        return clock.Elapsed;
    }

    /// <summary>One that several subscribers wait for counts for each.</summary>
    public static Task<long> CountAsync(CancellationToken cancel) => CountAsync(Outboxes, cancel);

    /// <summary>As the other, of one outbox and the broker.</summary>
    public static Task<long> CountAsync(string database, CancellationToken cancel) => CountAsync([database], cancel);

    private static async Task<long> CountAsync(string[] databases, CancellationToken cancel)
    {
        var waiting = Number(
            await Tool.RunAsync(
                Api.Setting("LP_VALKEY_CLI"),
                ["-h", "127.0.0.1", "-p", Api.Setting("LP_VALKEY_PORT"), "--raw", "EVAL", Script, "0"],
                "",
                cancel
            )
        );
        foreach (var database in databases)
        {
            waiting += Number(await Psql.RunAsync(database, "SELECT count(*) FROM outbox_events;", cancel));
        }

        return waiting;
    }

    private static long Number(string output) => long.Parse(output.Trim(), CultureInfo.InvariantCulture);

    private const string Script = """
        local waiting, cursor = 0, '0'
        repeat
          local page = redis.call('SCAN', cursor, 'COUNT', 1000, 'TYPE', 'stream')
          cursor = page[1]
          for _, stream in ipairs(page[2]) do
            for _, info in ipairs(redis.call('XINFO', 'GROUPS', stream)) do
              for i = 1, #info, 2 do
                if info[i] == 'pending' or info[i] == 'lag' then waiting = waiting + (tonumber(info[i + 1]) or 0) end
              end
            end
          end
        until cursor == '0'
        return waiting
        """;
}
