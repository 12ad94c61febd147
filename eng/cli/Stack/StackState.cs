namespace LocalPlus.Cli;

/// <summary>How the stack is run; chosen by `up`, remembered in state.json.</summary>
/// <param name="Daprd">The executable that is each app's sidecar; null: the stand-in hosts all of them in one
/// process.</param>
/// <param name="Failpoints">For tests that kill: services have failpoints and what dies is started again at
/// once.</param>
/// <param name="Components">A folder in place of components/clouds/local.</param>
internal sealed record StackOptions(
    string Configuration,
    string? Otlp,
    bool BackingOnly,
    bool Failpoints = false,
    string? Daprd = null,
    bool Dashboard = false,
    bool Observe = false,
    string? Components = null
);

/// <summary>One supervised process as state.json tells it. Pid 0: not running now.</summary>
internal sealed record ProcessState(
    string Name,
    int Pid,
    long Started,
    int Restarts,
    DateTimeOffset Since,
    string? LastEnd
)
{
    public ProcessIdentity Identity => new(Pid, Started);
}

/// <summary>
/// state.json: who supervises and what runs, with start times, so that anybody can later tell our processes from
/// strangers that got the same pid.
/// </summary>
internal sealed record StackState(
    string Boot,
    int Supervisor,
    long SupervisorStarted,
    int Offset,
    StackOptions Options,
    string Phase,
    IReadOnlyList<ProcessState> Processes
)
{
    public const string File = "state.json";

    /// <summary>What people call by that name and runs: "sidecar" is all of them, in however many processes.</summary>
    public IReadOnlyList<ProcessState> Named(string name) =>
        [.. Processes.Where(p => p.Pid > 0 && IsCalled(p.Name, name))];

    public static bool IsCalled(string process, string name) =>
        process == name || process.StartsWith($"{name}-", StringComparison.Ordinal);

    public ProcessIdentity SupervisorIdentity => new(Supervisor, SupervisorStarted);

    public Ports Ports => new(Offset);

    /// <summary>What was last written since the machine started, whether or not its supervisor still lives.</summary>
    public static StackState? Last(Checkout checkout) =>
        checkout.Read<StackState>(File) is { } state && state.Boot == ProcessIdentity.Boot ? state : null;

    /// <summary>The state of a stack that is supervised now, else null.</summary>
    public static StackState? Running(Checkout checkout) =>
        Last(checkout) is { } state && state.SupervisorIdentity.Alive ? state : null;

    public static StackState RunningOrFail(Checkout checkout) =>
        Running(checkout)
        ?? throw new CliFailure(ExitCodes.Unavailable, "nothing runs in this checkout", "./localplus up");
}
