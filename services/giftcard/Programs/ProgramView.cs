using System.Text.Json;
using Dapper;
using LocalPlus.Hosting;
using LocalPlus.Kernel;
using Npgsql;

namespace LocalPlus.Giftcard.Programs;

internal enum VatKind
{
    MultiPurpose,
    SinglePurpose,
}

/// <summary>Whether a redemption may take less than was asked for.</summary>
internal enum PartialPolicy
{
    Refuse,
    Allow,
}

internal enum PinPolicy
{
    None,
    Optional,
    Required,
}

/// <summary>A programme as the API shows it.</summary>
internal sealed record ProgramView(
    ProgramId Id,
    string Name,
    string Currency,
    string Status,
    int? ValidityDays,
    string VatKind,
    Money MinLoad,
    Money MaxLoad,
    Money MaxBalance,
    bool Reloadable,
    Money CashOutBelow,
    string Partial,
    string Pin,
    IReadOnlyList<OfferView> AcceptedAt,
    IReadOnlyList<LocationId> Locations,
    string? ImageUrl,
    string? Reference,
    JsonElement? Metadata,
    long Version,
    DateTimeOffset CreatedAt
)
{
    public string Object { get; } = "program";
}

/// <summary>A programme's row.</summary>
internal sealed record ProgramRow(AboutPart About, TermsPart Terms, ReachPart Reach) : IRowOfParts<ProgramRow>
{
    /// <summary>Selected by every slice that shows a programme; the lists come along in the same row.</summary>
    public const string Columns = """
        SELECT p.program_id, p.merchant_id, p.name, p.currency, p.status, p.image_url, p.reference,
               p.metadata::text AS metadata, p.version, p.created_at,
               p.vat_kind, p.validity_days, p.min_load, p.max_load, p.max_balance, p.reloadable, p.cash_out_below,
               p.partial, p.pin,
               coalesce((SELECT json_agg(json_build_object('merchant', a.merchant_id,
                                                           'commission', a.commission_basis_points,
                                                           'state', a.state,
                                                           'ends_at', a.ends_at,
                                                           'decided_at', a.decided_at)
                                         ORDER BY a.merchant_id)::text
                           FROM program_acceptances a
                          WHERE a.program_id = p.program_id), '[]') AS accepted_at,
               coalesce((SELECT json_agg(l.location_id ORDER BY l.location_id)::text
                           FROM program_locations l
                          WHERE l.program_id = p.program_id), '[]') AS locations
          FROM programs p
        """;

    public static string SplitOn => "vat_kind,accepted_at";

    public static Task<IEnumerable<ProgramRow>> QueryAsync(NpgsqlConnection connection, CommandDefinition command) =>
        connection.QueryAsync<AboutPart, TermsPart, ReachPart, ProgramRow>(
            command,
            (about, terms, reach) => new(about, terms, reach),
            SplitOn
        );

    public ProgramView ToView()
    {
        var currency = Currency.Parse(About.Currency);
        return new(
            About.ProgramId,
            About.Name,
            About.Currency,
            About.Status,
            Terms.ValidityDays,
            Terms.VatKind,
            new(Terms.MinLoad, currency),
            new(Terms.MaxLoad, currency),
            new(Terms.MaxBalance, currency),
            Terms.Reloadable,
            new(Terms.CashOutBelow, currency),
            Terms.Partial,
            Terms.Pin,
            Reach.Offers(),
            Reach.Places(),
            About.ImageUrl,
            About.Reference,
            About.Metadata is null ? null : JsonElement.Parse(About.Metadata),
            About.Version,
            About.CreatedAt
        );
    }
}

/// <summary>Whose programme it is, and how it shows itself.</summary>
internal sealed record AboutPart(
    ProgramId ProgramId,
    MerchantId MerchantId,
    string Name,
    string Currency,
    string Status,
    string? ImageUrl,
    string? Reference,
    string? Metadata,
    long Version,
    DateTimeOffset CreatedAt
);

/// <summary>What cards may hold and do.</summary>
internal sealed record TermsPart(
    string VatKind,
    int? ValidityDays,
    long MinLoad,
    long MaxLoad,
    long MaxBalance,
    bool Reloadable,
    long CashOutBelow,
    string Partial,
    string Pin
);

/// <summary>Where cards are good, as JSON: other merchants, and the issuer's locations if not all.</summary>
internal sealed record ReachPart(string AcceptedAt, string Locations)
{
    public IReadOnlyList<OfferView> Offers() =>
        [
            .. StoredJson
                .Read<StoredOffer[]>(AcceptedAt)
                .Select(o => new OfferView(o.Merchant, o.Commission, o.State, o.EndsAt, o.DecidedAt)),
        ];

    public LocationId[] Places() => StoredJson.Read<LocationId[]>(Locations);

    private sealed record StoredOffer(
        MerchantId Merchant,
        int Commission,
        string State,
        DateTimeOffset? EndsAt,
        DateTimeOffset? DecidedAt
    );
}
