namespace LocalPlus.Cli;

/// <summary>A process that the supervisor keeps alive, and how to tell that it does its work.</summary>
internal sealed record ProcessSpec(string Name, string File, params string[] Arguments)
{
    public string? WorkingDirectory { get; init; }

    public Dictionary<string, string?> Environment { get; init; } = [];

    public IReadOnlyList<int> Ports { get; init; } = [];

    /// <summary>Null when it does its work, else what is wrong.</summary>
    public required Func<CancellationToken, Task<string?>> Probe { get; init; }

    public int StopSignal { get; init; } = ProcessIdentity.SigTerm;

    /// <summary>What has to be done each time before it is started.</summary>
    public Func<CancellationToken, Task>? Prepare { get; init; }

    /// <summary>What has to be done once when it does its work, before anything that leans on it starts.</summary>
    public Func<CancellationToken, Task>? Provision { get; init; }
}
