using System.Collections.Concurrent;
using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard;

/// <summary>
/// The tills of a merchant, which the merchant service knows. Its word counts for <see cref="Lifetime"/>, so a blocked
/// till pays nothing any more after that; that it is blocked is told besides, so that it holds while the merchant
/// service is away. While that says nothing, a till that this replica or another one knew is served for
/// <see cref="StaleLifetime"/>, and any other is busy (ADR 0060).
/// </summary>
internal sealed class Terminals(HttpClient merchants, MerchantWords words, Ownership ownership, TimeProvider time)
{
    public static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(5);
    public static readonly TimeSpan StaleLifetime = MerchantWords.Lifetime;
    private static readonly CachePolicy Kind = new("terminal", StaleLifetime);
    private const int RememberedMax = 50_000;
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(1);

    /// <summary>So long after a question without an answer a known till does not wait for another one.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<(MerchantId Merchant, TerminalId Id), Known> remembered = new();
    private long unansweredAt = long.MinValue;

    /// <summary>
    /// Refuses with invalid_request unless the till is the merchant's, and stands at the location if one is named, and
    /// the location is the merchant's, if that is named alone; with terminal_blocked when the till is blocked; busy
    /// when nobody can say.
    /// </summary>
    public async Task RequireAsync(
        MerchantId merchant,
        TerminalId? terminal,
        LocationId? location,
        CancellationToken cancel,
        string pointer = "/terminal_id"
    )
    {
        if (terminal is not { } id)
        {
            await ownership.RequireLocationAsync(merchant, location, cancel);
            return;
        }

        var known = await FindAsync(merchant, id, pointer, cancel);
        if (location is { } place && known.LocationId != place)
        {
            throw Faults.Invalid(pointer, "The terminal stands at another location.");
        }

        if (known.Blocked)
        {
            throw new FaultException(Faults.TerminalBlocked, "The terminal is blocked.");
        }
    }

    private async Task<Terminal> FindAsync(MerchantId merchant, TerminalId id, string pointer, CancellationToken cancel)
    {
        var hit = remembered.GetValueOrDefault((merchant, id));
        if (hit is not null && Age(hit) < Lifetime && !words.IsOver(id.Value, hit.Said.AskedAt))
        {
            return hit.Said.Word;
        }

        if (hit is not null && Age(hit) < StaleLifetime && IsSilent())
        {
            return Judged(id, hit.Said);
        }

        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        deadline.CancelAfter(Deadline);
        try
        {
            var askedAt = time.GetUtcNow();
            var path = new Uri($"/internal/terminals/{id}?merchant_id={merchant}", UriKind.Relative);
            using var answer = await merchants.GetAsync(path, deadline.Token);
            if (await PeerRefusals.IsNoSuchObjectAsync(answer, deadline.Token))
            {
                throw Faults.Invalid(pointer, "There is no such thing of this merchant.");
            }

            var told = await answer
                .EnsureSuccessStatusCode()
                .Content.ReadFromJsonAsync<Told>(StrictJson.Lenient, deadline.Token);
            return Remember(id, new(new Terminal(merchant, told!.LocationId, told.Blocked), askedAt), hit).Word;
        }
        catch (Exception exception)
            when (exception is HttpRequestException or System.Text.Json.JsonException
                || exception is OperationCanceledException && !cancel.IsCancellationRequested
            )
        {
            Interlocked.Exchange(ref unansweredAt, time.GetTimestamp());
            return await StandInAsync(merchant, id, hit)
                ?? throw new FaultException(CommonFaults.Busy, $"{pointer} can not be verified at the moment.");
        }
    }

    /// <summary>What is known of a till here or elsewhere, of the merchant's own alone; null: nothing.</summary>
    private async Task<Terminal?> StandInAsync(MerchantId merchant, TerminalId id, Known? hit)
    {
        if (hit is not null && Age(hit) < StaleLifetime)
        {
            return Judged(id, hit.Said);
        }

        if (await words.FindAsync<Terminal>(Kind, id.Value) is not { } found || found.Word.MerchantId != merchant)
        {
            return null;
        }

        remembered[(merchant, id)] = new(found, found.AskedAt);
        return Judged(id, found);
    }

    /// <summary>That it is blocked may have been told since.</summary>
    private Terminal Judged(TerminalId id, Said<Terminal> said) =>
        words.IsOver(id.Value, said.AskedAt) ? said.Word with { Blocked = true } : said.Word;

    private TimeSpan Age(Known known) => time.GetUtcNow() - known.Said.AskedAt;

    private bool IsSilent() =>
        Interlocked.Read(ref unansweredAt) is var at && at != long.MinValue && time.GetElapsedTime(at) < Patience;

    private Said<Terminal> Remember(TerminalId id, Said<Terminal> said, Known? hit)
    {
        if (remembered.Count >= RememberedMax)
        {
            remembered.Clear();
        }

        var isWritten = hit?.Said.Word == said.Word && said.AskedAt - hit.WrittenAt < MerchantWords.RewrittenAfter;
        remembered[(said.Word.MerchantId, id)] = new(said, isWritten ? hit!.WrittenAt : said.AskedAt);
        if (!isWritten)
        {
            _ = words.SaveAsync(Kind, id.Value, said);
        }

        return said;
    }

    private sealed record Told(LocationId LocationId, bool Blocked);

    /// <summary>As replicas keep it for each other.</summary>
    private sealed record Terminal(MerchantId MerchantId, LocationId LocationId, bool Blocked);

    /// <param name="WrittenAt">When other replicas could last read what it says.</param>
    private sealed record Known(Said<Terminal> Said, DateTimeOffset WrittenAt);
}
