using Dapr.Client;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace LocalPlus.Hosting;

/// <summary>
/// Keeps <see cref="Flags"/>: reads the component each minute, and hears of changes in between. While it is away the
/// flags stay as they are.
/// </summary>
internal sealed class FlagWatch(DaprClient dapr, Flags flags, TimeProvider time, ILogger<FlagWatch> log)
    : BackgroundService
{
    public static readonly TimeSpan Life = TimeSpan.FromMinutes(1);
    private const string Store = "featureflags";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);
    private static readonly string[] Keys = [.. Flag.All.Select(flag => flag.Key)];
    private bool isAway;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // Not in the way of the start.
        await Task.Yield();
        await Task.WhenAll(RepeatAsync(ReadAsync, stoppingToken), RepeatAsync(ListenAsync, stoppingToken));
    }

    private async Task RepeatAsync(Func<CancellationToken, Task> look, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                await look(stop);
                await Task.Delay(Life, time, stop);
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                return;
            }
            catch (Exception exception)
            {
                // Whatever a sidecar without the component, or none, throws.
                Told(isGood: false, exception);
                await Task.Delay(Patience, time, stop);
            }
        }
    }

    private async Task ReadAsync(CancellationToken stop)
    {
        using var late = CancellationTokenSource.CreateLinkedTokenSource(stop);
        late.CancelAfter(Patience);
        var found = await dapr.GetConfiguration(Store, Keys, cancellationToken: late.Token).WaitAsync(late.Token);
        foreach (var flag in Flag.All)
        {
            Learn(flag, found.Items.GetValueOrDefault(flag.Key)?.Value);
        }

        Told(isGood: true);
    }

    private async Task ListenAsync(CancellationToken stop)
    {
        var changes = await dapr.SubscribeConfiguration(Store, Keys, cancellationToken: stop);
        await foreach (var change in changes.Source.WithCancellation(stop))
        {
            foreach (var flag in Flag.All.Where(flag => change.ContainsKey(flag.Key)))
            {
                Learn(flag, change[flag.Key].Value);
            }
        }
    }

    private void Learn(Flag flag, string? text)
    {
        if (!flags.Learn(flag, text))
        {
            log.FlagUnread(flag.Name);
        }
    }

    private void Told(bool isGood, Exception? exception = null)
    {
        if (isGood == isAway)
        {
            isAway = !isGood;
            if (isAway)
            {
                log.FlagsStay(exception?.GetType().Name ?? "");
            }
        }
    }
}

internal static class FlagsRegistration
{
    public static void AddFlags(this IServiceCollection services)
    {
        services.AddSingleton<Flags>();
        services.AddHostedService<FlagWatch>();
    }
}
