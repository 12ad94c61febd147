using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using LocalPlus.Kernel;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;

namespace LocalPlus.Hosting;

/// <summary>
/// Sliding windows over all replicas of a service (ADR 0034): in any window at most the quota passes, and up to 1.5 %
/// of it more for each replica.
/// </summary>
public sealed class RateLimits
{
    private readonly Dictionary<RateLimit, Budgets> budgets;

    internal RateLimits(ITokenStore store, IConfiguration configuration, TimeProvider time, ILogger<SharedTokens> log)
    {
        var shared = new SharedTokens(store, time, log);
        budgets = RateLimit.All.ToDictionary(
            limit => limit,
            limit => new Budgets(limit.As(configuration), shared, time)
        );
    }

    /// <summary>Every limit as this service has it.</summary>
    public IEnumerable<RateLimit> All => RateLimit.All.Select(Of);

    /// <summary>The limit as this service has it.</summary>
    public RateLimit Of(RateLimit limit) => budgets[limit].Limit;

    /// <summary>Takes one of the merchant's; refuses with quota_exceeded.</summary>
    public ValueTask RequireAsync(RateLimit limit, MerchantId merchant, CancellationToken cancel) =>
        RequireAsync(limit, Subject(merchant.Value), cancel);

    /// <summary>Takes one of the merchant's for what has happened; none is left, and the next is refused.</summary>
    public async ValueTask CountAsync(RateLimit limit, MerchantId merchant, CancellationToken cancel) =>
        await TakeAsync(limit, Subject(merchant.Value), cancel);

    /// <summary>As the other, of an address; null, as of no connection, is one too.</summary>
    public async ValueTask CountAsync(RateLimit limit, IPAddress? address, CancellationToken cancel) =>
        await TakeAsync(limit, Subject(address), cancel);

    /// <summary>Refuses where there is none left, as far as that is known here, and takes none.</summary>
    public void RequireLeft(RateLimit limit, MerchantId merchant) => RequireLeft(limit, Subject(merchant.Value));

    /// <summary>As the other, for an address.</summary>
    public void RequireLeft(RateLimit limit, IPAddress? address) => RequireLeft(limit, Subject(address));

    internal ValueTask<Taking> TakeAsync(RateLimit limit, UInt128 subject, CancellationToken cancel) =>
        budgets[limit].Of(subject).TakeAsync(cancel);

    internal static UInt128 Subject(Guid id)
    {
        Span<byte> bytes = stackalloc byte[16];
        id.TryWriteBytes(bytes, bigEndian: true, out _);
        return BinaryPrimitives.ReadUInt128BigEndian(bytes);
    }

    internal static UInt128 Subject(string text) =>
        BinaryPrimitives.ReadUInt128BigEndian(SHA256.HashData(Encoding.UTF8.GetBytes(text)));

    /// <summary>Of IPv6 the network of 64 bits: whoever has one address there has all.</summary>
    internal static UInt128 Subject(IPAddress? address)
    {
        Span<byte> bytes = stackalloc byte[16];
        address?.TryWriteBytes(bytes, out _);
        if (address is { AddressFamily: AddressFamily.InterNetworkV6, IsIPv4MappedToIPv6: false })
        {
            bytes[8..].Clear();
        }

        return BinaryPrimitives.ReadUInt128BigEndian(bytes);
    }

    internal FaultException Refusal(RateLimit limit, Taking taking)
    {
        RateLimitMetrics.Refused(limit);
        var seconds = Seconds(taking);
        return new(
            CommonFaults.QuotaExceeded,
            $"More than the limit {limit.Name} allows in {Of(limit).Window.TotalSeconds:0} s; nothing was done."
        )
        {
            Extensions = new Dictionary<string, object?>
            {
                ["violated-policies"] = new[] { limit.Name },
                [Problems.RetryAfterSeconds] = seconds,
            },
        };
    }

    internal static long Seconds(Taking taking) => (long)Math.Ceiling(taking.Wait.TotalSeconds);

    private async ValueTask RequireAsync(RateLimit limit, UInt128 subject, CancellationToken cancel)
    {
        if (await TakeAsync(limit, subject, cancel) is { IsTaken: false } none)
        {
            throw Refusal(limit, none);
        }
    }

    private void RequireLeft(RateLimit limit, UInt128 subject)
    {
        if (budgets[limit].Of(subject).Look() is { IsTaken: false } none)
        {
            throw Refusal(limit, none);
        }
    }

    /// <summary>The budgets of one limit, by subject.</summary>
    private sealed class Budgets(RateLimit limit, SharedTokens shared, TimeProvider time)
    {
        private const int MaxSubjects = 20_000;
        private readonly ConcurrentDictionary<UInt128, Budget> bySubject = new();

        public RateLimit Limit { get; } = limit;

        public Budget Of(UInt128 subject)
        {
            if (bySubject.TryGetValue(subject, out var budget))
            {
                return budget;
            }

            if (bySubject.Count >= MaxSubjects)
            {
                MakeRoom();
            }

            return bySubject.GetOrAdd(subject, id => new Budget(Limit, $"{Limit.Name}:{id:x32}", shared, time));
        }

        /// <summary>What was not asked for longest goes; what it took counts in the store.</summary>
        private void MakeRoom()
        {
            foreach (var (subject, _) in bySubject.OrderBy(entry => entry.Value.LastAskedAt).Take(MaxSubjects / 2))
            {
                bySubject.TryRemove(subject, out _);
            }
        }
    }
}
