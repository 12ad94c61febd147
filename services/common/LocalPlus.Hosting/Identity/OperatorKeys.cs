using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.IdentityModel.Tokens;

namespace LocalPlus.Hosting;

/// <summary>
/// The keys that sign operators' tokens: a JWKS, in a file or at an https address, read in the background every
/// <see cref="Lifetime"/>, and sooner when a token names a key that is not there. Who verifies a token never waits for
/// it.
/// While it can not be had the keys of before stay, and it is asked for again at growing intervals.
/// </summary>
internal sealed class OperatorKeys(OperatorIssuer issuer, HttpClient http, TimeProvider time, ILogger<OperatorKeys> log)
    : BackgroundService
{
    public static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(5);

    /// <summary>A token can name any key: so often at most one that is unknown has the set read again.</summary>
    public static readonly TimeSpan UnknownKeyPause = TimeSpan.FromSeconds(10);

    public const int MaxSetBytes = 256 * 1024;
    private static readonly TimeSpan FirstBackOff = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan MaxBackOff = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);
    private readonly SemaphoreSlim wanted = new(0, 1);
    private volatile IReadOnlyList<SecurityKey> keys = [];
    private long readAt = long.MinValue;

    /// <summary>The keys of this id; none without one: a token has to say which key signed it.</summary>
    public IEnumerable<SecurityKey> Find(string? kid)
    {
        if (string.IsNullOrEmpty(kid))
        {
            return [];
        }

        SecurityKey[] found = [.. keys.Where(key => key.KeyId == kid)];
        if (
            found.Length == 0
            && (Interlocked.Read(ref readAt) is var at)
            && (at == long.MinValue || time.GetElapsedTime(at) >= UnknownKeyPause)
        )
        {
            Ask();
        }

        return found;
    }

    /// <summary>Reads the set once before the service takes requests, if that is possible just then.</summary>
    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        await TryReadAsync(cancellationToken);
        await base.StartAsync(cancellationToken);
    }

    public override void Dispose()
    {
        wanted.Dispose();
        http.Dispose();
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var backOff = FirstBackOff;
        var isRead = readAt != long.MinValue;
        while (issuer.Jwks is not null)
        {
            if (isRead)
            {
                await wanted.WaitAsync(Lifetime, stoppingToken);
                backOff = FirstBackOff;
            }
            else
            {
                await Task.Delay(backOff, time, stoppingToken);
                backOff = TimeSpan.FromTicks(Math.Min(backOff.Ticks * 2, MaxBackOff.Ticks));
            }

            isRead = await TryReadAsync(stoppingToken);
        }
    }

    private void Ask()
    {
        try
        {
            wanted.Release();
        }
        catch (SemaphoreFullException)
        {
            // It is asked for already.
        }
    }

    private async Task<bool> TryReadAsync(CancellationToken cancel)
    {
        if (issuer.Jwks is not { } source)
        {
            return true;
        }

        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        deadline.CancelAfter(Timeout);
        try
        {
            keys = [.. new JsonWebKeySet(await ReadAsync(source, deadline.Token)).GetSigningKeys()];
            Interlocked.Exchange(ref readAt, time.GetTimestamp());
            return true;
        }
        catch (Exception exception)
            when (!cancel.IsCancellationRequested
                && exception
                    is HttpRequestException
                        or IOException
                        or UnauthorizedAccessException
                        or OperationCanceledException
                        or ArgumentException
            )
        {
            log.OperatorKeysUnread(exception);
            return false;
        }
    }

    private async Task<string> ReadAsync(string source, CancellationToken cancel)
    {
        if (!source.StartsWith("https://", StringComparison.Ordinal))
        {
            return await File.ReadAllTextAsync(source, cancel);
        }

        return await http.GetStringAsync(new Uri(source), cancel);
    }
}
