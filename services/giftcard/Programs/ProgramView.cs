using System.Text.Json;
using LocalPlus.Kernel;

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

/// <summary>A programme's row, with its lists as JSON.</summary>
internal sealed record ProgramRow(
    ProgramId ProgramId,
    MerchantId MerchantId,
    string Name,
    string Currency,
    string Status,
    int? ValidityDays,
    string VatKind,
    long MinLoad,
    long MaxLoad,
    long MaxBalance,
    bool Reloadable,
    long CashOutBelow,
    string Partial,
    string Pin,
    string? ImageUrl,
    string? Reference,
    string? Metadata,
    long Version,
    DateTimeOffset CreatedAt,
    string? AcceptedAt,
    string? Locations
)
{
    /// <summary>Selected by every slice that shows a programme; the lists come along in the same row.</summary>
    public const string Columns = """
        SELECT p.program_id, p.merchant_id, p.name, p.currency, p.status, p.validity_days, p.vat_kind, p.min_load,
               p.max_load, p.max_balance, p.reloadable, p.cash_out_below, p.partial, p.pin, p.image_url, p.reference,
               p.metadata::text AS metadata, p.version, p.created_at,
               (SELECT json_agg(json_build_object('merchant', a.merchant_id, 'commission', a.commission_basis_points,
                   'state', a.state,
                                          'ends_at', a.ends_at, 'decided_at', a.decided_at)
                                ORDER BY a.merchant_id)::text
                  FROM program_acceptances a
                 WHERE a.program_id = p.program_id) AS accepted_at,
               (SELECT json_agg(l.location_id ORDER BY l.location_id)::text
                  FROM program_locations l
                 WHERE l.program_id = p.program_id) AS locations
          FROM programs p
        """;

    public ProgramView ToView()
    {
        var currency = Kernel.Currency.Parse(Currency);
        return new(
            ProgramId,
            Name,
            Currency,
            Status,
            ValidityDays,
            VatKind,
            new(MinLoad, currency),
            new(MaxLoad, currency),
            new(MaxBalance, currency),
            Reloadable,
            new(CashOutBelow, currency),
            Partial,
            Pin,
            Offers(),
            Places(),
            ImageUrl,
            Reference,
            Metadata is null ? null : JsonElement.Parse(Metadata),
            Version,
            CreatedAt
        );
    }

    private IReadOnlyList<OfferView> Offers() =>
        AcceptedAt is null
            ? []
            :
            [
                .. StoredJson
                    .Read<StoredOffer[]>(AcceptedAt)
                    .Select(o => new OfferView(o.Merchant, o.Commission, o.State, o.EndsAt, o.DecidedAt)),
            ];

    private LocationId[] Places() => Locations is null ? [] : StoredJson.Read<LocationId[]>(Locations);

    private sealed record StoredOffer(
        MerchantId Merchant,
        int Commission,
        string State,
        DateTimeOffset? EndsAt,
        DateTimeOffset? DecidedAt
    );
}
