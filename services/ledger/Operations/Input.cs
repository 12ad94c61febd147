using LocalPlus.Kernel;
using LocalPlus.Ledger.Books;

namespace LocalPlus.Ledger.Operations;

/// <summary>
/// What both doors check of a request before it becomes an operation; what is wrong is an invalid_request naming it.
/// </summary>
internal static class Input
{
    public static string? Reference(string? reference) =>
        reference is null || (reference.Length is > 0 and <= LedgerLimits.ReferenceCharacters && Text.IsLine(reference))
            ? reference
            : throw Invalid(
                "reference",
                $"has 1 to {LedgerLimits.ReferenceCharacters} characters, and no control characters"
            );

    public static string Kind(string kind) =>
        kind.Length is > 0 and <= 40
        && char.IsAsciiLetterLower(kind[0])
        && kind.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '_')
            ? kind
            : throw Invalid("kind", "is up to 40 of a-z, 0-9 and _, beginning with a letter");

    public static long Amount(long amount, string field) =>
        amount is > 0 and < Money.Limit ? amount : throw Invalid(field, "is positive and below 2^53");

    /// <summary>The earliest and latest instants that the books accept; PostgreSQL and JSON carry both.</summary>
    public static DateTimeOffset? Instant(DateTimeOffset? instant, string field) =>
        instant is null or { Year: >= 1970 and < 2200 }
            ? instant is { } i
                ? new DateTimeOffset(i.UtcTicks - (i.UtcTicks % TimeSpan.TicksPerMillisecond), TimeSpan.Zero)
                : null
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
        if (sources.Count > LedgerLimits.SourcesPerHold)
        {
            throw Invalid("sources", $"has {LedgerLimits.SourcesPerHold} items at most");
        }

        if (sources.Select(source => source.AccountId).Distinct().Count() < sources.Count)
        {
            throw Invalid("sources", "names an account twice");
        }

        return
        [
            .. sources.Select(
                (source, i) => source.Max is { } max ? source with { Max = Amount(max, $"sources/{i}/max") } : source
            ),
        ];
    }

    /// <summary>Of a spend: also what is shared, which needs somebody to get it.</summary>
    public static IReadOnlyList<SpendSource> SpendSources(
        IReadOnlyList<SpendSource> sources,
        AccountId destination,
        AccountId? shareTo
    )
    {
        var checkedSources = Sources([.. sources.Select(source => new HoldSource(source.AccountId, null))]);
        for (var i = 0; i < sources.Count; i++)
        {
            if (sources[i].Max is < 0 or >= Money.Limit)
            {
                throw Invalid($"sources/{i}/max_amount", "is 0 to below 2^53");
            }

            if (
                sources[i].ShareBasisPoints is < 0 or > Spend.WholeBasisPoints
                || (sources[i].ShareBasisPoints > 0 && shareTo is null)
            )
            {
                throw Invalid(
                    $"sources/{i}/share_basis_points",
                    $"is 0 to {Spend.WholeBasisPoints}, and 0 where nobody gets it"
                );
            }
        }

        return destination == shareTo || checkedSources.Any(s => s.AccountId == destination || s.AccountId == shareTo)
            ? throw Invalid("destination_account_id", "is a source, or the share's, too")
            : sources;
    }

    public static FaultException Invalid(string field, string what) =>
        new(CommonFaults.InvalidRequest, $"{field} {what}.", new FieldError("/" + field, "invalid"));
}
