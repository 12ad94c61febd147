using System.Diagnostics;

namespace LocalPlus.Tests.Integration.Support;

/// <summary>A service as its own process, as everywhere else, so that a test may kill it at any instant.</summary>
public sealed class ServiceProcess : RunningService
{
    private readonly Process process;
    private bool isDisposed;

    private ServiceProcess(string service, Process process, ServicePorts ports)
        : base(service, ports.Public, ports.App) => this.process = process;

    /// <summary>The memory that the service's process has now.</summary>
    public long ResidentBytes
    {
        get
        {
            process.Refresh();
            return process.WorkingSet64;
        }
    }

    private protected override string? Ended => process.HasExited ? $"exit code {process.ExitCode}" : null;

    /// <summary>Starts a service and waits until it is ready, as one in this process is started.</summary>
    public static new async Task<ServiceProcess> StartAsync(
        string assemblyPath,
        TestDatabase database,
        int daprHttpPort,
        int daprGrpcPort = 0,
        params (string Name, string Value)[] settings
    ) => (ServiceProcess)await StartAsync(assemblyPath, database, daprHttpPort, daprGrpcPort, false, settings);

    public void Kill() => process.Kill();

    public override async ValueTask DisposeAsync()
    {
        if (isDisposed)
        {
            return;
        }

        isDisposed = true;
        if (!process.HasExited)
        {
            process.Kill();
        }

        await process.WaitForExitAsync();
        process.Dispose();
        HangUp();
    }

    internal static ServiceProcess Begin(
        string assemblyPath,
        ServicePorts ports,
        IEnumerable<(string Name, string Value)> settings
    )
    {
        var start = new ProcessStartInfo("dotnet", [assemblyPath])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        // A service lives for a few requests here. To measure code and to compile it again costs a third of its time,
        // so that begins a minute (in hexadecimal milliseconds) after it has met nothing new.
        start.Environment["DOTNET_TieredPGO"] = "0";
        start.Environment["DOTNET_TC_CallCountingDelayMs"] = "EA60";
        foreach (var (name, value) in settings)
        {
            start.Environment[name] = value;
        }

        var process = new Process { StartInfo = start };
        var service = new ServiceProcess(NameOf(assemblyPath), process, ports);
        process.OutputDataReceived += (_, line) => service.Append(line.Data);
        process.ErrorDataReceived += (_, line) => service.Append(line.Data);
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return service;
    }
}
