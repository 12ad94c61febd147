using Dapper;
using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Cards;

/// <summary>Which cards somebody asks for: by the hashes of their codes, or by their ids.</summary>
internal sealed record CardQuestion(
    MerchantIdentity Caller,
    LocationId? Location,
    IReadOnlyList<byte[]> Hashes,
    IReadOnlyList<GiftCardId> Ids
);

/// <summary>What the card's programme and its holder's PIN say of its use by the one who asks.</summary>
internal sealed record TermsOfUse(
    byte[] CodeHash,
    byte[]? PinSalt,
    byte[]? PinHash,
    DateTimeOffset? PinLockedUntil,
    string Partial,
    bool AcceptedHere,
    int CommissionBasisPoints,
    bool GoodAtLocation,
    int Ask
);

/// <summary>A card that there is.</summary>
internal sealed record FoundCard(CardRow Row, TermsOfUse Terms);

/// <summary>
/// Reads cards with their terms and value lots. Questions that come at the same time share a statement: it costs the
/// same whether a card is found or not.
/// </summary>
internal sealed class CardLookup
{
    /// <summary>Questions in one statement.</summary>
    private const int QuestionsPerRead = 64;

    private const int ReadsAtOnce = 2;

    private readonly Database database;
    private readonly TimeProvider time;
    private readonly SharedCalls<CardQuestion, (IReadOnlyList<FoundCard> Cards, IReadOnlyList<LotRow> Lots)> reads;

    public CardLookup(Database database, TimeProvider time)
    {
        this.database = database;
        this.time = time;
        reads = new(QuestionsPerRead, ReadsAtOnce, WhenOneFails.EachGoesAlone, ReadAllAsync);
    }

    /// <summary>The cards that there are, whoever may use them, with all their lots.</summary>
    public Task<(IReadOnlyList<FoundCard> Cards, IReadOnlyList<LotRow> Lots)> ReadAsync(
        CardQuestion question,
        CancellationToken cancel
    ) => reads.AskAsync(question, cancel);

    private async Task<IReadOnlyList<(IReadOnlyList<FoundCard>, IReadOnlyList<LotRow>)>> ReadAllAsync(
        IReadOnlyList<CardQuestion> questions
    )
    {
        var hashes = questions.SelectMany((q, ask) => q.Hashes.Select(hash => (Ask: ask, Hash: hash))).ToArray();
        var ids = questions.SelectMany((q, ask) => q.Ids.Select(id => (Ask: ask, id.Value))).ToArray();
        var args = new
        {
            Now = time.GetUtcNow(),
            Asks = questions.Select((_, ask) => ask).ToArray(),
            MerchantIds = questions.Select(q => q.Caller.MerchantId.Value).ToArray(),
            Lives = questions.Select(q => q.Caller.Live).ToArray(),
            LocationIds = questions.Select(q => q.Location?.Value).ToArray(),
            HashAsks = hashes.Select(h => h.Ask).ToArray(),
            Hashes = hashes.Select(h => h.Hash).ToArray(),
            IdAsks = ids.Select(id => id.Ask).ToArray(),
            Ids = ids.Select(id => id.Value).ToArray(),
        };
        var (cards, lots) = await database.ReadAsync(
            async connection =>
            {
                await using var results = await connection.QueryMultipleAsync(
                    new CommandDefinition(Sql.Find, args, cancellationToken: CancellationToken.None)
                );
                // Few and short, so they are here with the head of the answer: reading them waits for nothing.
                var found = results.Read<CardRow, TermsOfUse, FoundCard>(
                    (row, terms) => new(row, terms),
                    splitOn: "code_hash"
                );
                return (
                    found.ToLookup(c => c.Terms.Ask),
                    (await results.ReadAsync<LotRow>()).ToLookup(l => l.GiftCardId)
                );
            },
            CancellationToken.None
        );
        return
        [
            .. questions.Select(
                (_, ask) =>
                    (
                        (IReadOnlyList<FoundCard>)[.. cards[ask]],
                        (IReadOnlyList<LotRow>)
                            [.. cards[ask].Select(c => c.Row.GiftCardId).Distinct().SelectMany(id => lots[id])]
                    )
            ),
        ];
    }

    private static class Sql
    {
        public const string Find = $"""
            SELECT {CardRow.Fields},
                   c.code_hash, c.pin_salt, c.pin_hash, c.pin_locked_until, p.partial,
                   a.merchant_id IS NOT NULL AS accepted_here,
                   coalesce(a.commission_basis_points, 0) AS commission_basis_points,
                   NOT EXISTS (SELECT 1
                                 FROM program_locations o
                                WHERE o.program_id = p.program_id)
                   OR EXISTS (SELECT 1
                                FROM program_locations o
                               WHERE o.program_id = p.program_id
                                 AND o.location_id = q.location_id) AS good_at_location,
                   q.ask
              FROM ({Named}) n
              JOIN unnest(@Asks, @MerchantIds, @Lives, @LocationIds) AS q (ask, merchant_id, live, location_id)
                ON q.ask = n.ask
              JOIN gift_cards c
                ON c.gift_card_id = n.gift_card_id
              JOIN programs p
                ON p.program_id = c.program_id
              LEFT JOIN program_acceptances a
                ON a.program_id = p.program_id
               AND a.merchant_id = q.merchant_id
               AND a.live = q.live
               AND (a.state = 'accepted' OR a.state = 'ended' AND a.ends_at > @Now);
            {LotRow.Columns}
             WHERE l.gift_card_id IN (SELECT gift_card_id
                                        FROM ({Named}) n)
            """;

        // One descent of an index for each, whatever the planner thinks of a table that was empty when it planned.
        private const string Named = """
            SELECT h.ask, g.gift_card_id
              FROM unnest(@HashAsks, @Hashes) AS h (ask, code_hash)
             CROSS JOIN LATERAL (SELECT gift_card_id
                                   FROM gift_cards
                                  WHERE code_hash = h.code_hash
                                  LIMIT 1) g
             UNION
            SELECT ask, gift_card_id
              FROM unnest(@IdAsks, @Ids) AS i (ask, gift_card_id)
            """;
    }
}
