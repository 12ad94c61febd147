using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using LocalPlus.Servers;

namespace LocalPlus.Engine.Testing;

/// <summary>The sidecar as a process of its own, with one app and the given actor state store.</summary>
public sealed class SidecarProcess : IAsyncDisposable
{
    private const int LinesKept = 20;

    // daprd's own 5 s may be too short on a machine that is busy with starting killed processes again.
    private const string InitTimeout = "90s";

    private static readonly TimeSpan StartPatience = TimeSpan.FromSeconds(120);

    private readonly string _folder = Path.Combine(
        Path.GetTempPath(),
        "lp-sidecar-" + Guid.NewGuid().ToString("n")[..8]
    );
    private readonly string _executable;
    private readonly ConcurrentQueue<string> _lastLines = [];
    private Process? _process;

    public SidecarProcess(string executable, string appId, string libpqString)
    {
        (_executable, AppId) = (executable, appId);
        Directory.CreateDirectory(_folder);
        AddComponent(
            "workflowstore",
            "state.postgresql",
            "v2",
            ("connectionString", libpqString),
            ("actorStateStore", "true")
        );
    }

    public string AppId { get; }

    /// <summary>Where the app listens, if there is one.</summary>
    public int? AppPort { get; init; }

    public int HttpPort { get; } = FreePort.Next();

    public int GrpcPort { get; } = FreePort.Next();

    private int InternalPort { get; } = FreePort.Next();

    public int? Id => _process?.Id;

    /// <summary>CPU time since the start.</summary>
    public TimeSpan Cpu
    {
        get
        {
            _process?.Refresh();
            return _process?.TotalProcessorTime ?? TimeSpan.Zero;
        }
    }

    public long WorkingSet
    {
        get
        {
            _process?.Refresh();
            return _process?.WorkingSet64 ?? 0;
        }
    }

    /// <summary>One more component, known from the next start on.</summary>
    public void AddComponent(string name, string type, params (string Name, string Value)[] metadata) =>
        AddComponent(name, type, "v1", metadata);

    private void AddComponent(
        string name,
        string type,
        string version,
        params (string Name, string Value)[] metadata
    ) =>
        File.WriteAllText(
            Path.Combine(_folder, name + ".yaml"),
            $$"""
            apiVersion: dapr.io/v1alpha1
            kind: Component
            metadata: {name: {{name}}}
            spec:
              type: {{type}}
              version: {{version}}
              initTimeout: {{InitTimeout}}
              metadata: [{{string.Join(
                ", ",
                metadata.Select(item => $$"""{name: {{item.Name}}, value: "{{item.Value}}"}""")
            )}}]
            """
        );

    public async Task StartAsync()
    {
        var start = new ProcessStartInfo(_executable) { RedirectStandardOutput = true, RedirectStandardError = true };
        string[] arguments =
        [
            "--app-id",
            AppId,
            "--resources-path",
            _folder,
            "--dapr-http-port",
            $"{HttpPort}",
            "--dapr-grpc-port",
            $"{GrpcPort}",
            "--dapr-internal-grpc-port",
            $"{InternalPort}",
            "--metrics-port",
            "0",
            "--log-level",
            "warn",
            .. AppPort is { } app ? ["--app-port", $"{app}"] : Array.Empty<string>(),
        ];
        arguments.ToList().ForEach(start.ArgumentList.Add);
        _process = Process.Start(start)!;
        _process.OutputDataReceived += (_, line) => Note(line.Data);
        _process.ErrorDataReceived += (_, line) => Note(line.Data);
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        var begun = Stopwatch.GetTimestamp();
        while (!await ListensAsync())
        {
            if (Stopwatch.GetElapsedTime(begun) > StartPatience || _process.HasExited)
            {
                var end = _process.HasExited ? $"it ended with {_process.ExitCode}" : "it does not listen";
                throw new InvalidOperationException(
                    $"the sidecar did not start: {end}\n{string.Join('\n', _lastLines)}"
                );
            }

            await Pulse.NextAsync();
        }
    }

    private void Note(string? line)
    {
        _lastLines.Enqueue(line ?? "");
        if (_lastLines.Count > LinesKept)
        {
            _lastLines.TryDequeue(out _);
        }

        Log?.Invoke(line);
    }

    public Action<string?>? Log { get; set; }

    public bool HasExited => _process?.HasExited ?? true;

    private async Task<bool> ListensAsync()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(IPAddress.Loopback, GrpcPort);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    /// <summary>kill -9.</summary>
    public async Task KillAsync()
    {
        if (_process is { HasExited: false } process)
        {
            process.Kill();
            await process.WaitForExitAsync();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await KillAsync();
        _process?.Dispose();
        Directory.Delete(_folder, recursive: true);
    }
}
