using LocalPlus.Kernel;
using LocalPlus.Ledger.Books;

namespace LocalPlus.Ledger.Operations;

/// <summary>What both doors check of a request before it becomes an operation; what is wrong is an invalid_request naming it.</summary>
internal static class Input
{
    public static string? Reference(string? reference) =>
        reference is null or { Length: > 0 and <= LedgerLimits.ReferenceCharacters } && (reference is null || Text.IsStorable(reference))
            ? reference
            : throw Invalid("reference", $"has 1 to {LedgerLimits.ReferenceCharacters} characters");

    public static string Kind(string kind) =>
        kind.Length is > 0 and <= 40 && char.IsAsciiLetterLower(kind[0])
        && kind.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '_')
            ? kind
            : throw Invalid("kind", "is up to 40 of a-z, 0-9 and _, beginning with a letter");

    public static long Amount(long amount, string field) =>
        amount is > 0 and < Money.Limit ? amount : throw Invalid(field, "is positive and below 2^53");

    /// <summary>The earliest and latest instants that the books accept; PostgreSQL and JSON carry both.</summary>
    public static DateTimeOffset? Instant(DateTimeOffset? instant, string field) =>
        instant is null or { Year: >= 1970 and < 2200 }
            ? instant is { } i ? new DateTimeOffset(i.UtcTicks - (i.UtcTicks % TimeSpan.TicksPerMillisecond), TimeSpan.Zero) : null
            : throw Invalid(field, "is between the years 1970 and 2200");

    public static IReadOnlyList<Posting> Postings(IReadOnlyList<Posting> postings, string field, int least)
    {
        if (postings.Count < least || postings.Count > LedgerLimits.PostingsPerTransaction)
        {
            throw Invalid(field, $"has {least} to {LedgerLimits.PostingsPerTransaction} items");
        }

        for (var i = 0; i < postings.Count; i++)
        {
            Amount(postings[i].Amount, $"{field}/{i}/amount");
            if (postings[i].Source == postings[i].Destination)
            {
                throw Invalid($"{field}/{i}", "has one account on both sides");
            }
        }

        return postings;
    }

    public static IReadOnlyList<HoldSource> Sources(IReadOnlyList<HoldSource> sources)
    {
        if (sources.Count is 0 or > LedgerLimits.SourcesPerHold)
        {
            throw Invalid("sources", $"has 1 to {LedgerLimits.SourcesPerHold} items");
        }

        if (sources.Select(source => source.AccountId).Distinct().Count() < sources.Count)
        {
            throw Invalid("sources", "names an account twice");
        }

        return [.. sources.Select((source, i) => source.Max is { } max
            ? source with { Max = Amount(max, $"sources/{i}/max") }
            : source)];
    }

    public static FaultException Invalid(string field, string what) =>
        new(CommonFaults.InvalidRequest, $"{field} {what}.", new FieldError("/" + field, "invalid"));
}
