using System.Globalization;
using LocalPlus.Sidecar.Resources;
using LocalPlus.Sidecar.Runtime;
using LocalPlus.Sidecar.Tracing;

namespace LocalPlus.Sidecar.Bindings;

/// <summary>bindings.cron: calls the application at given times. Nothing is kept; a time that passed is gone.</summary>
internal sealed class CronBinding(Component definition) : IComponent
{
    public Component Definition => definition;

    public IReadOnlyList<string> Capabilities => [];

    public CronSchedule Schedule { get; private set; } = null!;

    /// <summary>The application's path: metadata route, else the component's name.</summary>
    public string Path { get; } = "/" + (definition.Get("route") ?? definition.Name).TrimStart('/');

    public Task InitAsync(CancellationToken cancel)
    {
        Schedule = CronSchedule.Parse(definition.Require("schedule"));
        return Task.CompletedTask;
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}

/// <summary>Input bindings of one application: asks once whether it wants each (OPTIONS), calls it while it is up.</summary>
internal sealed class InputBindings(SidecarRuntime runtime)
{
    private static readonly TimeSpan ProbeTimeout = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan LongestPause = TimeSpan.FromHours(1);
    private readonly ILogger log = runtime.App.Logs.CreateLogger("dapr.runtime.processor.binding");
    private readonly List<CronBinding> wanted = [];
    private readonly List<Task> running = [];
    private CancellationTokenSource? ending;
    private bool asked;

    public async Task StartAsync(AppChannel channel, CancellationToken cancel)
    {
        if (!asked)
        {
            asked = true;
            foreach (var binding in runtime.Components.All.OfType<CronBinding>())
            {
                if (await IsWantedAsync(channel, binding, cancel))
                {
                    wanted.Add(binding);
                }
            }
        }
        ending = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        running.AddRange(wanted.Select(b => RunAsync(channel, b, ending.Token)));
    }

    public async Task StopAsync()
    {
        if (ending is not { } source)
        {
            return;
        }
        ending = null;
        await source.CancelAsync();
        await Task.WhenAll(running);
        running.Clear();
        source.Dispose();
    }

    private static async Task<bool> IsWantedAsync(AppChannel channel, CronBinding binding, CancellationToken cancel)
    {
        if (binding.Definition.Get("direction") is { } direction)
        {
            return direction.Contains("input", StringComparison.OrdinalIgnoreCase);
        }
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limit.CancelAfter(ProbeTimeout);
        try
        {
            using var request = channel.Request(HttpMethod.Options, binding.Path);
            request.Content = new ByteArrayContent([]) { Headers = { ContentType = Handlers.Json } };
            using var response = await channel.SendAsync(request, limit.Token);
            return response.IsSuccessStatusCode || (int)response.StatusCode == StatusCodes.Status405MethodNotAllowed;
        }
        catch (Exception problem) when (problem is HttpRequestException or OperationCanceledException && !cancel.IsCancellationRequested)
        {
            return false;
        }
    }

    private async Task RunAsync(AppChannel channel, CronBinding binding, CancellationToken cancel)
    {
        try
        {
            while (binding.Schedule.Next(DateTime.Now) is var next && next < DateTime.MaxValue)
            {
                // A timer cannot wait for months; the clock may be set meanwhile, too.
                while (next - DateTime.Now is { Ticks: > 0 } pause)
                {
                    await Task.Delay(pause < LongestPause ? pause : LongestPause, cancel);
                }
                await FireAsync(channel, binding, cancel);
            }
        }
        catch (OperationCanceledException)
        {
            // The application is down or the sidecar is closing.
        }
    }

    private async Task FireAsync(AppChannel channel, CronBinding binding, CancellationToken cancel)
    {
        using var request = channel.Request(HttpMethod.Post, binding.Path);
        request.Content = new ByteArrayContent([]) { Headers = { ContentType = Handlers.Json } };
        request.Headers.TryAddWithoutValidation("timeZone", "Local");
        request.Headers.TryAddWithoutValidation("readTimeUTC", DateTime.UtcNow.ToString("yyyy-MM-dd HH:mm:ss.fffffff'00 +0000 UTC'", CultureInfo.InvariantCulture));
        request.Headers.TryAddWithoutValidation("traceparent", TraceContext.ZeroParent);
        try
        {
            using var response = await channel.SendAsync(request, cancel);
        }
        catch (HttpRequestException problem)
        {
            log.Unexpected($"calling the application for binding {binding.Definition.Name}", problem);
        }
    }
}
