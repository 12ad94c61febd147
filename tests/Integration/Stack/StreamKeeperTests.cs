using System.Globalization;
using LocalPlus.Cli;
using LocalPlus.Servers;

namespace LocalPlus.Tests.Integration.Stack;

public sealed class StreamKeeperTests : IAsyncLifetime
{
    private const string Password = "secret";
    private const int Node = 100;
    private ValkeyServer valkey = null!;

    public async Task InitializeAsync() => valkey = await ValkeyServer.StartAsync(new() { Password = Password });

    public async Task DisposeAsync() => await valkey.DisposeAsync();

    [Fact]
    public async Task What_every_group_has_acknowledged_goes()
    {
        await FillAsync("orders", 1000);
        await ReadAsync("orders", "one", 1000, acknowledge: true);
        await ReadAsync("orders", "two", 1000, acknowledge: true);

        await TrimAsync();

        Assert.InRange(await LengthAsync("orders"), 1, Node);
    }

    [Fact]
    public async Task What_one_group_has_not_read_or_not_acknowledged_stays()
    {
        await FillAsync("slow", 1000);
        await ReadAsync("slow", "quick", 1000, acknowledge: true);
        await ReadAsync("slow", "slow", 300, acknowledge: true);
        await FillAsync("pending", 1000);
        await ReadAsync("pending", "quick", 1000, acknowledge: true);
        await ReadAsync("pending", "at_it", 1000, acknowledge: false);

        await TrimAsync();

        Assert.InRange(await LengthAsync("slow"), 700, 700 + Node);
        Assert.Equal(1000, await LengthAsync("pending"));
        Assert.Equal(
            "700",
            await AskAsync(
                "EVAL",
                "return #redis.call('XREADGROUP', 'GROUP', 'slow', 'c', 'COUNT', 1000, 'STREAMS', 'slow', '>')[1][2]",
                "0"
            )
        );
    }

    [Fact]
    public async Task A_stream_that_nobody_subscribed_to_keeps_its_newest()
    {
        await FillAsync("unheard", 12_000);

        await TrimAsync();

        Assert.InRange(await LengthAsync("unheard"), 10_000, 10_000 + Node);
    }

    [Fact]
    public async Task A_broker_that_is_full_takes_events_again()
    {
        await FillAsync("orders", 20_000);
        await ReadAsync("orders", "one", 20_000, acknowledge: true);
        await AskAsync(
            "CONFIG",
            "SET",
            "maxmemory",
            await AskAsync("EVAL", "return tostring(redis.call('MEMORY', 'USAGE', 'orders'))", "0")
        );
        Assert.Contains("OOM", await AskAsync("XADD", "orders", "*", "data", "more"), StringComparison.Ordinal);

        await TrimAsync();

        Assert.DoesNotContain("OOM", await AskAsync("XADD", "orders", "*", "data", "more"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task It_says_so_when_the_broker_is_away() =>
        Assert.Null(await new StreamKeeper(FreePort.Next(), Password).TrimAsync(CancellationToken.None));

    private async Task TrimAsync() =>
        Assert.NotNull(await new StreamKeeper(valkey.Port, Password).TrimAsync(CancellationToken.None));

    private async Task FillAsync(string stream, int entries) =>
        await AskAsync(
            "EVAL",
            "for i = 1, ARGV[1] do redis.call('XADD', KEYS[1], '*', 'data', string.rep('x', 100)) end",
            "1",
            stream,
            $"{entries}"
        );

    private async Task ReadAsync(string stream, string group, int entries, bool acknowledge) =>
        await AskAsync(
            "EVAL",
            """
            redis.pcall('XGROUP', 'CREATE', KEYS[1], ARGV[1], '0')
            for _, e in ipairs(redis.call('XREADGROUP', 'GROUP', ARGV[1], 'c', 'COUNT', ARGV[2], 'STREAMS', KEYS[1], '>')[1][2]) do
              if ARGV[3] == 'True' then redis.call('XACK', KEYS[1], ARGV[1], e[1]) end
            end
            """,
            "1",
            stream,
            group,
            $"{entries}",
            $"{acknowledge}"
        );

    private async Task<long> LengthAsync(string stream) =>
        long.Parse(await AskAsync("XLEN", stream), CultureInfo.InvariantCulture);

    private async Task<string> AskAsync(params string[] words)
    {
        var command = new Command("valkey-cli", ["-p", $"{valkey.Port}", "--raw", .. words])
        {
            Environment = { ["REDISCLI_AUTH"] = Password },
        };
        return (await command.RunAsync(CancellationToken.None)).Output.Trim();
    }
}
