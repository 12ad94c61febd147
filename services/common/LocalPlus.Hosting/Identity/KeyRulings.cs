using System.Collections.Concurrent;

namespace LocalPlus.Hosting;

/// <summary>What merchant has told of a key, a person, a till or a merchant.</summary>
/// <param name="HeardAt">Verdicts that were asked for before this are overruled.</param>
internal sealed record KeyRuling(DateTimeOffset HeardAt, DateTimeOffset? EndsAt, MerchantStatus? Status);

/// <summary>
/// What this replica has heard, for as long as a verdict from before it may turn up; and beside the shared verdicts, so
/// that a replica that starts later knows it too.
/// </summary>
internal sealed class KeyRulings(SharedVerdicts shared, TimeProvider time)
{
    public const int MaxRulings = 100_000;
    private readonly ConcurrentDictionary<Guid, KeyRuling> heard = new();

    public Task HearAsync(KeyNews news) =>
        shared.SaveAsync(news.Of, Note(news.Of, new KeyRuling(time.GetUtcNow(), news.EndsAt, news.Status)));

    /// <summary>As another replica heard it, perhaps. No end is put off by news that come late.</summary>
    public KeyRuling Note(Guid of, KeyRuling ruling)
    {
        var noted = heard.AddOrUpdate(
            of,
            ruling,
            (_, old) => old.EndsAt < ruling.EndsAt ? ruling with { EndsAt = old.EndsAt } : ruling
        );
        if (heard.Count > MaxRulings)
        {
            MakeRoom();
        }

        return noted;
    }

    /// <summary>A verdict as it is after all that was heard since; null: the key is over.</summary>
    public MerchantIdentity? Judge(KnownKeys.Known known)
    {
        var now = time.GetUtcNow();
        if (
            known.Identity is not { } identity
            || identity.ExpiresAt <= now
            || IsOver(identity.KeyId.Value, known.AskedAt)
        )
        {
            return null;
        }

        return Of(identity.MerchantId.Value, known.AskedAt)?.Status is { } status and not MerchantStatus.Active
            ? identity with
            {
                Status = status,
            }
            : identity;
    }

    /// <summary>Whether merchant has told, since it was asked, that it is over.</summary>
    public bool IsOver(Guid of, DateTimeOffset askedAt) => Of(of, askedAt)?.EndsAt <= time.GetUtcNow();

    private KeyRuling? Of(Guid of, DateTimeOffset askedAt) =>
        heard.TryGetValue(of, out var ruling) && askedAt <= ruling.HeardAt ? ruling : null;

    /// <summary>The half that was heard first goes: verdicts from before it have ended, or soon will.</summary>
    private void MakeRoom()
    {
        foreach (var ruling in heard.OrderBy(entry => entry.Value.HeardAt).Take(MaxRulings / 2))
        {
            heard.TryRemove(ruling);
        }
    }
}
