using Dapr;
using Grpc.Core;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Primitives;
using Npgsql;

namespace LocalPlus.Hosting;

/// <summary>
/// Takes secrets that are changed while the service runs: looks every <see cref="Pause"/>, and has the pool give up the
/// connections that were opened with a password of before, each when it is handed back.
/// </summary>
internal sealed class SecretWatch(
    SecretEntry entry,
    IConfiguration configuration,
    NpgsqlDataSource database,
    TimeProvider time,
    ILogger<SecretWatch> log
) : BackgroundService
{
    private const int DefaultSeconds = 30;

    private TimeSpan Pause => TimeSpan.FromSeconds(configuration.GetValue("LP_SECRETS_SECONDS", DefaultSeconds));

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var known = configuration["Secrets:database"];
        using var changes = ChangeToken.OnChange(
            configuration.GetReloadToken,
            () =>
            {
                if (Interlocked.Exchange(ref known, configuration["Secrets:database"]) != known)
                {
                    database.Clear();
                }
            }
        );
        using var timer = new PeriodicTimer(Pause, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            await LookAsync(stoppingToken);
        }
    }

    private async Task LookAsync(CancellationToken cancel)
    {
        try
        {
            if (await entry.RefreshAsync(cancel))
            {
                log.SecretsChanged();
            }
        }
        catch (Exception failure)
            when (failure is DaprException or RpcException or AggregateException or InvalidOperationException)
        {
            log.SecretsUnread(failure);
        }
    }
}
