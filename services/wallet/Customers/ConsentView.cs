using LocalPlus.Kernel;

namespace LocalPlus.Wallet.Customers;

/// <summary>What a person has agreed to.</summary>
/// <param name="Purpose">What for, in the merchant's own words: newsletter, profiling.</param>
/// <param name="TextVersion">The version of the text that the person was shown.</param>
/// <param name="Proof">How it can be seen; absent in answers to changes, which are kept for repeats.</param>
/// <param name="WithdrawnAt">Absent: it is in force.</param>
internal sealed record ConsentView(
    ConsentId Id,
    string Object,
    CustomerId CustomerId,
    string Purpose,
    string TextVersion,
    string? Proof,
    DateTimeOffset GivenAt,
    DateTimeOffset RecordedAt,
    DateTimeOffset? WithdrawnAt,
    DateTimeOffset? WithdrawalRecordedAt
);

/// <summary>A row of customer_consents.</summary>
internal sealed record ConsentRow(
    ConsentId ConsentId,
    CustomerId CustomerId,
    string Purpose,
    string TextVersion,
    byte[]? Proof,
    DateTimeOffset GivenAt,
    DateTimeOffset RecordedAt,
    DateTimeOffset? WithdrawnAt,
    DateTimeOffset? WithdrawalRecordedAt
)
{
    /// <summary>What its proof is sealed as.</summary>
    public const string ProofKind = "consent";

    public const string Columns = """
        SELECT s.consent_id, s.customer_id, s.purpose, s.text_version, s.proof, s.given_at, s.recorded_at,
               s.withdrawn_at, s.withdrawal_recorded_at
          FROM customer_consents s
        """;

    public ConsentView ToView(string? proof = null) =>
        new(
            ConsentId,
            "consent",
            CustomerId,
            Purpose,
            TextVersion,
            proof,
            GivenAt,
            RecordedAt,
            WithdrawnAt,
            WithdrawalRecordedAt
        );
}
