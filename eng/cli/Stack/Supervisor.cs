namespace LocalPlus.Cli;

/// <summary>
/// Runs the stack until it is told to stop: picks free ports, starts stage after stage, restarts what dies and keeps
/// state.json true.
/// </summary>
internal sealed class Supervisor(Checkout checkout, StackOptions options)
{
    public const string LockFile = "supervisor.lock";

    private const string PortsFile = "ports.json";

    private readonly ProcessIdentity _self = ProcessIdentity.Of(Environment.ProcessId)!;
    private readonly Lock _writing = new();
    private readonly List<List<ManagedProcess>> _stages = [];
    private Ports _ports = new(0);
    private string _phase = "starting";

    public async Task<int> RunAsync(CancellationToken cancel)
    {
        using var sole = TryLock(Path.Combine(checkout.State, LockFile));
        if (sole is null)
        {
            throw new CliFailure(ExitCodes.Refused, "this checkout is supervised already", "./localplus status");
        }

        using var claim = ClaimPorts();
        new Secrets(checkout).Render(_ports, ValkeyDoor.IsAskedFor(options));
        Operators.EnsureKey(checkout);
        DaprRunFile.Render(checkout, _ports, options);
        var stack = new LocalStack(checkout, _ports, options);
        try
        {
            foreach (var stage in stack.Stages)
            {
                await StartAsync(stage, cancel);
            }

            Phase("running");
            await new StreamKeeper(_ports.Valkey, new Secrets(checkout).ValkeyPassword).RunAsync(cancel);
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            Console.WriteLine($"{DateTimeOffset.UtcNow:O} told to stop");
        }
        finally
        {
            await StopAsync();
        }

        return ExitCodes.Ok;
    }

    /// <summary>A file held open without sharing is locked until its holder ends, however it ends.</summary>
    public static FileStream? TryLock(string path)
    {
        try
        {
            return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException)
        {
            return null;
        }
    }

    private async Task StartAsync(ProcessSpec[] specs, CancellationToken cancel)
    {
        var stage = specs.Select(s => new ManagedProcess(s, checkout.Logs, Save, options.Failpoints)).ToList();
        lock (_writing)
        {
            _stages.Add(stage);
        }

        stage.ForEach(p => p.Start());
        await Task.WhenAll(stage.Select(p => p.ReadyAsync(cancel)));
    }

    private async Task StopAsync()
    {
        Phase("stopping");
        foreach (var stage in Enumerable.Reverse(_stages))
        {
            await Task.WhenAll(stage.Select(p => p.StopAsync()));
            stage.ForEach(p => p.Dispose());
        }

        File.Delete(Path.Combine(checkout.State, StackState.File));
    }

    /// <summary>
    /// The first offset whose ports are free and that no other checkout has claimed. The claim is a lock that lasts as
    /// long as this process, so two checkouts that start at once cannot choose alike.
    /// </summary>
    private FileStream ClaimPorts()
    {
        var folder = Path.Combine(Path.GetTempPath(), $"localplus-ports-{Environment.UserName}");
        Directory.CreateDirectory(folder);
        foreach (var ports in Ports.Candidates(checkout.Read<PortChoice>(PortsFile)?.Offset))
        {
            var claim = TryLock(Path.Combine(folder, $"{ports.Offset}"));
            if (claim is not null && !ports.Taken.Any())
            {
                _ports = ports;
                checkout.Write(PortsFile, new PortChoice(ports.Offset));
                return claim;
            }

            claim?.Dispose();
        }

        throw new CliFailure(
            ExitCodes.Unavailable,
            $"no free ports for one of {Ports.MaxStacks} stacks",
            "stop another checkout: ./localplus down"
        );
    }

    private void Phase(string phase)
    {
        _phase = phase;
        Save();
    }

    private void Save()
    {
        lock (_writing)
        {
            var processes = _stages.SelectMany(s => s).Select(p => p.State).ToList();
            checkout.Write(
                StackState.File,
                new StackState(
                    ProcessIdentity.Boot,
                    _self.Pid,
                    _self.Started,
                    _ports.Offset,
                    options,
                    _phase,
                    processes
                )
            );
        }
    }

    private sealed record PortChoice(int Offset);
}
