namespace LocalPlus.Hosting;

/// <summary>What merchant said of a thing, and when it was asked.</summary>
public sealed record Said<T>(T Word, DateTimeOffset AskedAt);

/// <summary>
/// What merchant says of things that a sale names by their id, beside keys: kept for replicas of this service that do
/// not know it yet while merchant says nothing, sealed as verdicts on keys are (ADR 0060), and overruled by what
/// merchant tells of the thing's end (<see cref="KeyNews"/>). Never fails: without the cache there is none.
/// </summary>
public sealed class MerchantWords
{
    /// <summary>So long after merchant said it a word serves while merchant is silent.</summary>
    public static readonly TimeSpan Lifetime = SharedVerdicts.Lifetime;

    /// <summary>A word that is in use and has not changed is written down again when it is this old.</summary>
    public static readonly TimeSpan RewrittenAfter = SharedVerdicts.RewrittenAfter;

    private readonly SharedVerdicts shared;
    private readonly KeyRulings rulings;

    internal MerchantWords(SharedVerdicts shared, KeyRulings rulings) =>
        (this.shared, this.rulings) = (shared, rulings);

    /// <summary>Whether merchant has told, since it was asked, that the thing is over.</summary>
    public bool IsOver(Guid of, DateTimeOffset askedAt) => rulings.IsOver(of, askedAt);

    /// <param name="kind">Names the kind; its values live for <see cref="Lifetime"/>.</param>
    public Task SaveAsync<T>(CachePolicy kind, Guid of, Said<T> said) =>
        shared.SaveAsync(kind, of, said.Word, said.AskedAt);

    /// <summary>What merchant said last to any replica; null: nobody knows.</summary>
    public async Task<Said<T>?> FindAsync<T>(CachePolicy kind, Guid of)
    {
        if (await shared.FindAsync<T>(kind, of) is not { } found)
        {
            return null;
        }

        if (found.Since is { } ruling)
        {
            rulings.Note(of, ruling);
        }

        return found.Said;
    }
}
