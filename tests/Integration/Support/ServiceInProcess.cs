using System.Diagnostics;
using System.Reflection;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace LocalPlus.Tests.Integration.Support;

/// <summary>
/// A service's program in the tests' process: its entry point on a thread of its own, with its settings as words of a
/// command line, which configuration reads as it reads the environment. It is stopped as a signal stops it.
/// </summary>
internal sealed class ServiceInProcess : RunningService
{
    private static readonly AsyncLocal<ServiceInProcess?> Current = new();
    private readonly TaskCompletionSource<IHost> built = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<string> ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    static ServiceInProcess()
    {
        DiagnosticListener.AllListeners.Subscribe(new Hosts());
        System.Console.SetOut(new Router(System.Console.Out));
    }

    private ServiceInProcess(string service, ServicePorts ports)
        : base(service, ports.Public, ports.App) { }

    private protected override string? Ended => ended.Task.IsCompleted ? ended.Task.Result : null;

    public static async Task<ServiceInProcess> BeginAsync(
        string assemblyPath,
        ServicePorts ports,
        IEnumerable<(string Name, string Value)> settings
    )
    {
        var service = new ServiceInProcess(NameOf(assemblyPath), ports);
        var program = Assembly.Load(AssemblyName.GetAssemblyName(assemblyPath)).EntryPoint!;
        string[] words = [.. settings.Select(setting => $"--{Key(setting.Name)}={setting.Value}")];
        // What the test that asks for it has in its flow (spans, deadlines) is none of the service's.
        new Thread(() => service.Run(program, words))
        {
            IsBackground = true,
            Name = NameOf(assemblyPath),
        }.UnsafeStart();
        await Task.WhenAny(service.built.Task, service.ended.Task);
        return service;
    }

    public override async ValueTask DisposeAsync()
    {
        if (!ended.Task.IsCompleted && built.Task.IsCompletedSuccessfully)
        {
            (await built.Task).Services.GetRequiredService<IHostApplicationLifetime>().StopApplication();
        }

        await ended.Task;
        HangUp();
    }

    /// <summary>A variable's name as configuration has it.</summary>
    private static string Key(string name) =>
        name.StartsWith("ASPNETCORE_", StringComparison.Ordinal)
            ? name["ASPNETCORE_".Length..].ToLowerInvariant()
            : name.Replace("__", ":", StringComparison.Ordinal);

    private void Run(MethodInfo program, string[] words)
    {
        Current.Value = this;
        try
        {
            ended.SetResult($"exit code {program.Invoke(null, [words])}");
        }
        catch (TargetInvocationException failure)
        {
            ended.SetResult($"{failure.InnerException}");
        }
    }

    /// <summary>Hears of each host that is built in this process, in the flow of the program that builds it.</summary>
    private sealed class Hosts : IObserver<DiagnosticListener>, IObserver<KeyValuePair<string, object?>>
    {
        public void OnNext(DiagnosticListener value)
        {
            if (value.Name == "Microsoft.Extensions.Hosting")
            {
                value.Subscribe(this);
            }
        }

        public void OnNext(KeyValuePair<string, object?> value)
        {
            if (value is { Key: "HostBuilt", Value: IHost host })
            {
                Current.Value?.built.TrySetResult(host);
            }
        }

        public void OnCompleted() { }

        public void OnError(Exception error) { }
    }

    /// <summary>Gives each service what it prints; what a test prints goes where it went.</summary>
    private sealed class Router(TextWriter tests) : TextWriter
    {
        public override Encoding Encoding => tests.Encoding;

        public override void Write(char value)
        {
            if (Current.Value is null)
            {
                tests.Write(value);
            }
            else
            {
                Write([value]);
            }
        }

        public override void Write(string? value) => Write(value.AsSpan());

        public override void Write(char[] buffer, int index, int count) => Write(buffer.AsSpan(index, count));

        public override void Write(ReadOnlySpan<char> buffer)
        {
            if (Current.Value is { } service)
            {
                service.Append(buffer.TrimEnd('\n').ToString());
            }
            else
            {
                tests.Write(buffer);
            }
        }
    }
}
