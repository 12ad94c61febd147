using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Dapr.Client;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.DataProtection;

namespace LocalPlus.Console.Session;

/// <summary>
/// Sessions, written through to <c>cachestore</c> so that every replica knows them. A flushed store signs everybody
/// out and loses nothing else. Signing out everywhere leaves a mark: what began before it is no session any more.
/// </summary>
internal sealed class SessionStore(DaprClient dapr, IDataProtectionProvider protection, TimeProvider time)
    : ITicketStore
{
    private const string Store = "cachestore";
    private const int NameBytes = 24;
    private readonly IDataProtector protector = protection.CreateProtector("session");

    public async Task<string> StoreAsync(AuthenticationTicket ticket)
    {
        var key = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(NameBytes));
        await RenewAsync(key, ticket);
        return key;
    }

    public Task RenewAsync(string key, AuthenticationTicket ticket)
    {
        var left = (ticket.Properties.ExpiresUtc ?? time.GetUtcNow() + Sessions.Life) - time.GetUtcNow();
        return left <= TimeSpan.Zero
            ? RemoveAsync(key)
            : dapr.SaveStateAsync(
                Store,
                Entry(key),
                protector.Protect(TicketSerializer.Default.Serialize(ticket)),
                metadata: Ttl(left)
            );
    }

    public async Task<AuthenticationTicket?> RetrieveAsync(string key)
    {
        if (await dapr.GetStateAsync<byte[]?>(Store, Entry(key)) is not { } kept)
        {
            return null;
        }

        try
        {
            return TicketSerializer.Default.Deserialize(protector.Unprotect(kept));
        }
        catch (CryptographicException)
        {
            // Of a key that has been taken away: as if it had never been.
            return null;
        }
    }

    public Task RemoveAsync(string key) => dapr.DeleteStateAsync(Store, Entry(key));

    public Task EndAllAsync(string subject, CancellationToken cancel) =>
        dapr.SaveStateAsync(
            Store,
            Mark(subject),
            time.GetUtcNow().ToUnixTimeMilliseconds(),
            metadata: Ttl(Sessions.Life),
            cancellationToken: cancel
        );

    /// <summary>Whether somebody signed out everywhere after this session began.</summary>
    public async Task<bool> IsEndedAsync(string subject, DateTimeOffset begunAt, CancellationToken cancel) =>
        await dapr.GetStateAsync<long?>(Store, Mark(subject), cancellationToken: cancel) is { } endedAt
        && begunAt.ToUnixTimeMilliseconds() <= endedAt;

    private static string Entry(string key) => $"console:session:{key}:v1";

    private static string Mark(string subject) =>
        $"console:signed_out:{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(subject)))}:v1";

    private static Dictionary<string, string> Ttl(TimeSpan left) =>
        new() { ["ttlInSeconds"] = ((long)left.TotalSeconds + 1).ToString(CultureInfo.InvariantCulture) };
}
