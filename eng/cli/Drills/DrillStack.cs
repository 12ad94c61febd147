using System.Globalization;

namespace LocalPlus.Cli;

/// <summary>A whole stack of the drill's own, in a folder of its own, that may be lost.</summary>
internal sealed class DrillStack : IAsyncDisposable
{
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(100);
    private readonly string _folder;

    private DrillStack(string folder, Checkout checkout, StackState state) =>
        (_folder, Checkout, Ports) = (folder, checkout, state.Ports);

    public Checkout Checkout { get; }

    public Ports Ports { get; }

    public Secrets Secrets => new(Checkout);

    /// <summary>Starts one; what was brought over from another is put into its folder before.</summary>
    public static async Task<DrillStack> StartAsync(
        Checkout here,
        Func<Checkout, Task>? bringOver,
        CancellationToken cancel
    )
    {
        var folder = Directory.CreateTempSubdirectory("localplus-drill-").FullName;
        var checkout = here with { State = Path.Combine(folder, ".localplus") };
        checkout.MakeState();
        if (bringOver is not null)
        {
            await bringOver(checkout);
        }

        var options = new StackOptions("Debug", null, BackingOnly: false, Daprd: Daprd.Choose(null));
        return new DrillStack(folder, checkout, await Up.StartAsync(checkout, options, cancel));
    }

    /// <summary>The till of a merchant that is known already, or a new one's.</summary>
    public async Task<Shop> ShopAsync(Developer? merchant, CancellationToken cancel) =>
        new(Checkout, Ports, merchant ?? await OnboardAsync(cancel), TimeSpan.FromMinutes(3), cancel);

    public Task<Developer> OnboardAsync(CancellationToken cancel) =>
        Developer.OnboardAsync(Checkout, Ports, "Drill", "drill@example.com", cancel);

    public void Signal(string name, int signal)
    {
        foreach (var process in StackState.RunningOrFail(Checkout).Named(name))
        {
            process.Identity.Signal(signal);
        }
    }

    /// <summary>Kills what runs and waits until it is dead; the supervisor starts it again.</summary>
    public async Task KillAsync(string name, CancellationToken cancel)
    {
        var victims = StackState.RunningOrFail(Checkout).Named(name);
        while (!victims.Any(victim => victim.Identity.Alive))
        {
            await Task.Delay(Poll, cancel);
            victims = StackState.RunningOrFail(Checkout).Named(name);
        }

        foreach (var victim in victims)
        {
            victim.Identity.Signal(ProcessIdentity.SigKill);
        }

        while (victims.Any(victim => victim.Identity.Alive))
        {
            await Task.Delay(Poll, cancel);
        }
    }

    /// <summary>The place is gone: supervisor first, so that nothing is started again, then all there is.</summary>
    public async Task LoseEverythingAsync(CancellationToken cancel)
    {
        var state = StackState.RunningOrFail(Checkout);
        state.SupervisorIdentity.Signal(ProcessIdentity.SigKill);
        foreach (var process in state.Processes.Where(p => p.Pid > 0))
        {
            process.Identity.Signal(ProcessIdentity.SigKill);
            process.Identity.KillGroup();
        }

        while (state.Processes.Any(p => p.Pid > 0 && p.Identity.Alive))
        {
            await Task.Delay(Poll, cancel);
        }
    }

    public async Task<long> CountAsync(string database, string sql, CancellationToken cancel)
    {
        var answer = await new Postgres(Checkout, Ports, Secrets).QueryAsync(database, sql, cancel);
        return long.TryParse(answer.Output.Trim(), CultureInfo.InvariantCulture, out var count)
            ? count
            : throw new CliFailure(ExitCodes.Failed, $"{database}: {answer.Tail(3)}", "./localplus doctor");
    }

    /// <summary>A verb of ours on this stack; its last lines when it fails.</summary>
    public async Task<string?> VerbAsync(string[] words, CancellationToken cancel)
    {
        var verb = new Command(Path.Combine(Checkout.Root, "localplus"), words)
        {
            Environment = { ["LP_STATE_DIR"] = Checkout.State, ["LP_ROOT"] = Checkout.Root },
        };
        var result = await verb.RunAsync(cancel);
        return result.ExitCode == 0 ? null : result.Tail(4);
    }

    public async ValueTask DisposeAsync()
    {
        await Leftovers.StopAsync(Checkout, CancellationToken.None);
        Directory.Delete(_folder, recursive: true);
    }
}
