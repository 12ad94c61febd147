using System.Diagnostics;
using LocalPlus.Servers;

namespace LocalPlus.Cli;

/// <summary>
/// The place is lost with all that was in it. Elsewhere there are a base backup, the log that was streamed out since,
/// the secrets and the checkpoints of the signed log; a second stack is made of them, and the same till goes on.
/// </summary>
internal static class RegionDrill
{
    private const int SalesBefore = 20;
    private const int SalesAfter = 20;

    /// <summary>What is kept elsewhere of a stack's folder: the secrets, who the merchant is, checkpoints.</summary>
    private static readonly string[] Kept = ["keys.json", "developer.json", "operator-key.pem"];

    public static async Task<DrillResult> RunAsync(Checkout here, DrillStack first, CancellationToken cancel)
    {
        var elsewhere = Directory.CreateTempSubdirectory("localplus-elsewhere-").FullName;
        try
        {
            return await RunAsync(here, first, elsewhere, cancel);
        }
        finally
        {
            Directory.Delete(elsewhere, recursive: true);
        }
    }

    private static async Task<DrillResult> RunAsync(
        Checkout here,
        DrillStack first,
        string elsewhere,
        CancellationToken cancel
    )
    {
        var merchant = await first.OnboardAsync(cancel);
        using var shop = await first.ShopAsync(merchant, cancel);
        var (_, code) = await DrillTill.PrepareAsync(shop);
        var till = new DrillTill(shop, code, cancel);
        await till.SellAsync(() => till.Answered.Count >= SalesBefore);

        // The backup is older than the last sales: those come by the log.
        using var streaming = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        var log = ReceiveAsync(first, elsewhere, streaming.Token);
        await MustAsync(
            Client(first, "pg_basebackup", "-D", Path.Combine(elsewhere, "base"), "-X", "stream", "-c", "fast"),
            cancel
        );
        await till.SellAsync(() => till.Answered.Count >= SalesBefore + SalesAfter);
        Keep(first.Checkout, elsewhere);

        // Somebody is forgotten after the last of the log that is kept: the copy of the list alone has it.
        var person = await RegionErasures.ComeAsync(shop);
        await RegionErasures.LogIsKeptAsync(first, cancel);
        await streaming.CancelAsync();
        await log;
        var erasures = await RegionErasures.ForgetAsync(first, shop, person, cancel);

        var clock = Stopwatch.StartNew();
        await first.LoseEverythingAsync(cancel);
        await using var second = await DrillStack.StartAsync(
            here,
            checkout => BringAsync(elsewhere, checkout, cancel),
            cancel
        );
        using var again = await second.ShopAsync(merchant, cancel);
        var goesOn = new DrillTill(again, code, cancel);
        await goesOn.SellOneAsync();
        var rto = clock.Elapsed;
        await goesOn.SellAsync(() => goesOn.Answered.Count >= SalesAfter);

        var lost = await StackDrills.LostAsync(again, till);
        string[] repaired = ["job run balance-reconciliation"];
        var reconciled = await second.VerbAsync(["job", "run", "balance-reconciliation"], cancel);
        return new DrillResult(
            "region",
            till.Answered.Count + goesOn.Answered.Count,
            lost,
            StackDrills.Seconds(rto),
            null,
            0,
            repaired,
            await erasures.ApplyAsync(second, again, cancel),
            reconciled ?? await second.VerbAsync(["ledger", "verify"], cancel)
        );
    }

    private static async Task ReceiveAsync(DrillStack stack, string elsewhere, CancellationToken cancel)
    {
        var folder = Path.Combine(elsewhere, "log");
        Directory.CreateDirectory(folder);
        try
        {
            await Client(stack, "pg_receivewal", "-D", folder, "--no-loop", "--status-interval", "1").RunAsync(cancel);
        }
        catch (OperationCanceledException)
        {
            // It is stopped before the place is gone; by itself it would end then as well.
        }
    }

    private static void Keep(Checkout checkout, string elsewhere)
    {
        foreach (var name in Kept.Where(name => File.Exists(Path.Combine(checkout.State, name))))
        {
            File.Copy(Path.Combine(checkout.State, name), Path.Combine(elsewhere, name));
        }

        Directory.CreateDirectory(Path.Combine(elsewhere, "checkpoints"));
        foreach (var file in Directory.GetFiles(Path.GetDirectoryName(checkout.Checkpoints)!))
        {
            File.Copy(file, Path.Combine(elsewhere, "checkpoints", Path.GetFileName(file)));
        }
    }

    /// <summary>
    /// Base backup and log become the data of the new place; PostgreSQL reads the log as after a crash.
    /// </summary>
    private static async Task BringAsync(string elsewhere, Checkout checkout, CancellationToken cancel)
    {
        var data = checkout.PostgresData;
        await MustAsync(new Command("cp", "-a", Path.Combine(elsewhere, "base"), data), cancel);
        foreach (var segment in Directory.GetFiles(Path.Combine(elsewhere, "log")))
        {
            var name = Path.GetFileName(segment).Replace(".partial", "", StringComparison.Ordinal);
            File.Copy(segment, Path.Combine(data, "pg_wal", name), overwrite: true);
        }

        if (Environment.IsPrivilegedProcess)
        {
            await MustAsync(
                new Command("chown", "-R", $"{ServerAccount.Unprivileged}:{ServerAccount.Unprivileged}", data),
                cancel
            );
        }

        foreach (var name in Kept.Where(name => File.Exists(Path.Combine(elsewhere, name))))
        {
            File.Copy(Path.Combine(elsewhere, name), Path.Combine(checkout.State, name), overwrite: true);
        }

        await MustAsync(
            new Command(
                "cp",
                "-a",
                Path.Combine(elsewhere, "checkpoints"),
                Path.GetDirectoryName(checkout.Checkpoints)!
            ),
            cancel
        );
    }

    private static Command Client(DrillStack stack, string program, params string[] words) =>
        new(
            Tools.Postgres(program),
            ["-h", "127.0.0.1", "-p", $"{stack.Ports.Postgres}", "-U", Postgres.Superuser, .. words]
        )
        {
            Environment = { ["PGPASSWORD"] = stack.Secrets.PostgresPassword },
        };

    private static async Task MustAsync(Command command, CancellationToken cancel)
    {
        var result = await command.RunAsync(cancel);
        if (result.ExitCode != 0)
        {
            throw new CliFailure(
                ExitCodes.Failed,
                $"{Path.GetFileName(command.File)} ended with {result.ExitCode}: {result.Tail(3)}",
                "platform/recovery/README.md"
            );
        }
    }
}
