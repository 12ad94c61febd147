namespace LocalPlus.Cli;

/// <summary>A process dies between hold and confirm; its supervisor starts it again.</summary>
internal static class KillDrills
{
    private const long Value = 5000;
    private const long Price = 1200;
    private const string Cure = "None: it is started again, and the till's repeated request gets its answer.";

    public static readonly IReadOnlyList<FaultDrill> All =
    [
        Of("ledger", "the books are killed while 12.00 EUR are held"),
        Of("giftcard", "the service behind the tills is killed while 12.00 EUR are held"),
        Of("sidecar", "the sidecars, with events and workflow engine, are killed while 12.00 EUR are held"),
        Of("valkey", "cache and broker are killed while 12.00 EUR are held"),
        Of("postgres", "the database server is killed while 12.00 EUR are held"),
    ];

    private static FaultDrill Of(string victim, string breaks) =>
        new(
            victim,
            breaks,
            $"`./localplus status`: {victim} ended with exit code 137 and was started again. The run's page: 12.00 EUR "
                + "were captured.",
            Cure,
            scene => TellAsync(scene, victim)
        );

    private static async Task TellAsync(FaultScene scene, string victim)
    {
        var card = await scene.SellAsync(Value);
        var id = await scene.HoldAsync(card, Price);
        var before = Restarts(scene, victim);
        await scene.BreakAsync($"kill -9 of {victim}", () => scene.KillAsync(victim));
        await scene.ConfirmAsync(id);
        await scene.PrintsAsync(
            ["status"],
            $"{victim} ended with exit code 137",
            text =>
                Restarts(scene, victim) > before
                && text.Split('\n')
                    .Any(line =>
                        line.StartsWith(victim, StringComparison.Ordinal)
                        && line.Contains("exit code 137", StringComparison.Ordinal)
                    )
        );
        await scene.HealthyAsync($"{victim} was started again and all is healthy");
        await scene.ChargedOnceAsync(card, id, Value - Price);
        await scene.ReadsAsync($"/console/runs/{id}", "Over: the redemption is completed, 12.00 EUR were captured.");
    }

    private static int Restarts(FaultScene scene, string victim) =>
        StackState
            .RunningOrFail(scene.Checkout)
            .Processes.Where(process => StackState.IsCalled(process.Name, victim))
            .Sum(process => process.Restarts);
}
