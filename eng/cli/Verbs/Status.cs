using System.CommandLine;

namespace LocalPlus.Cli;

/// <summary>What runs, where, and whether it does its work.</summary>
internal static class Status
{
    private static readonly Option<bool> AsJson = Verbs.Flag("--json", "for programs");

    public static readonly Verb Verb = Verbs.Define("status", "processes, ports, health", RunAsync, AsJson);

    private static async Task<int> RunAsync(Invocation call)
    {
        var (checkout, words, cancel) = call;
        var state = StackState.RunningOrFail(checkout);
        var stack = new LocalStack(checkout, state.Ports, state.Options);
        var troubles = await stack.TroublesAsync(cancel);
        var rows = stack
            .All.Select(spec =>
            {
                var process = state.Processes.FirstOrDefault(p => p.Name == spec.Name);
                return new Row(
                    spec.Name,
                    process?.Pid ?? 0,
                    spec.Ports,
                    process?.Restarts ?? 0,
                    process?.Since,
                    process?.LastEnd,
                    troubles.GetValueOrDefault(spec.Name)
                );
            })
            .ToList();
        if (words.GetValue(AsJson))
        {
            Terminal.Say(
                System.Text.Json.JsonSerializer.Serialize(
                    new
                    {
                        state.Phase,
                        Gateway = state.Ports.GatewayUrl,
                        Processes = rows,
                    },
                    Checkout.Json
                )
            );
        }
        else
        {
            List<string[]> table =
            [
                ["PROCESS", "PID", "UP", "RESTARTS", "LAST END", "PORTS", "HEALTH"],
            ];
            table.AddRange(
                rows.Select(r =>
                    new[]
                    {
                        r.Name,
                        r.Pid == 0 ? "-" : $"{r.Pid}",
                        Age(r.Since),
                        $"{r.Restarts}",
                        r.LastEnd ?? "-",
                        Shorten(r.Ports),
                        r.Trouble ?? "ok",
                    }
                )
            );
            Terminal.Table(table);
            Terminal.Say(
                $"{state.Phase}, supervisor {state.Supervisor}, {state.Options.Configuration}, "
                    + $"sidecars {state.Options.Daprd ?? "in one process"}, gateway {state.Ports.GatewayUrl}"
            );
        }

        if (troubles.Count > 0)
        {
            Terminal.Failure($"{troubles.Count} not healthy", $"./localplus logs {troubles.Keys.First()}");
            return ExitCodes.Unavailable;
        }

        return ExitCodes.Ok;
    }

    private static string Age(DateTimeOffset? since) =>
        since is { } then
            ? (DateTimeOffset.UtcNow - then)
                .ToString(@"d\.hh\:mm\:ss", null)
                .Replace("0.", "", StringComparison.Ordinal)
            : "-";

    private static string Shorten(IReadOnlyList<int> ports) =>
        ports.Count <= 2 ? string.Join(' ', ports) : $"{ports.Min()}..{ports.Max()}";

    private sealed record Row(
        string Name,
        int Pid,
        IReadOnlyList<int> Ports,
        int Restarts,
        DateTimeOffset? Since,
        string? LastEnd,
        string? Trouble
    );
}
