using LocalPlus.Hosting;
using LocalPlus.Kernel;
using Npgsql;

namespace LocalPlus.Giftcard.Rewards;

/// <summary>
/// POST /v1/rewards: something to show and to give: a picture, words, and value that goes onto a card as a present.
/// Refusals: invalid_request, reference_reused.
/// </summary>
internal static class CreateReward
{
    public static IEndpointRouteBuilder MapCreateReward(this IEndpointRouteBuilder group)
    {
        group
            .MapPost("/rewards", HandleAsync)
            .RequireScope("programs:write")
            .RequireIdempotencyKey()
            .Refuses(CommonFaults.ReferenceReused)
            .WithName(nameof(CreateReward))
            .Produces<RewardView>(StatusCodes.Status201Created);
        return group;
    }

    /// <param name="ValidityDays">How long the present is good once it is on a card; as long as the card without
    /// it.</param>
    /// <param name="Quantity">How many there are; as many as wanted without it.</param>
    internal sealed record Request(
        string Name,
        Money Amount,
        string? Description = null,
        string? ImageUrl = null,
        int? ValidityDays = null,
        int? Quantity = null,
        string? Reference = null
    );

    private static Task<IResult> HandleAsync(
        HttpContext http,
        Request request,
        IdempotentRequests requests,
        Database database,
        TimeProvider time,
        CancellationToken cancel
    )
    {
        new FieldChecks()
            .Text(request.Name, "/name", GiftcardLimits.NameLength)
            .Positive(request.Amount, "/amount")
            .Text(request.Description, "/description", GiftcardLimits.MessageLength)
            .WebAddress(request.ImageUrl, "/image_url")
            .Require(request.ValidityDays is null or (>= 1 and <= GiftcardLimits.ValidityDaysMax), "/validity_days")
            .Require(request.Quantity is null or > 0, "/quantity")
            .Text(request.Reference, "/reference", GiftcardLimits.ReferenceLength)
            .ThrowIfAny();
        return requests.ExecuteAsync(
            http,
            request,
            db => InsertAsync(db, database, http.GetMerchant().MerchantId, request, time),
            cancel
        );
    }

    private static async Task<Answer> InsertAsync(
        DbSession db,
        Database database,
        MerchantId merchant,
        Request request,
        TimeProvider time
    )
    {
        var now = time.GetUtcNow();
        var row = new RewardRow(
            RewardId.New(time),
            merchant,
            request.Name,
            request.Description,
            request.ImageUrl,
            "active",
            request.Amount.MinorUnits,
            request.Amount.Currency.Code,
            request.ValidityDays,
            request.Quantity,
            Granted: 0,
            request.Reference,
            Version: 1,
            now
        );
        try
        {
            await db.ExecuteAsync(Sql.Insert, row);
        }
        catch (PostgresException taken) when (taken.ConstraintName == "ix_rewards_merchant_id_reference")
        {
            throw await References.ReusedAsync<RewardId>(
                database,
                References.Reward,
                merchant,
                request.Reference!,
                db.Cancel
            );
        }

        return Answer.Created($"/v1/rewards/{row.RewardId}", row.ToView(), row.Version);
    }

    private static class Sql
    {
        public const string Insert = """
            INSERT INTO rewards (reward_id, merchant_id, name, description, image_url, status, amount, currency,
                   validity_days, quantity, reference, created_at)
            VALUES (@RewardId, @MerchantId, @Name, @Description, @ImageUrl, @Status, @Amount, @Currency, @ValidityDays,
                   @Quantity, @Reference, @CreatedAt)
            """;
    }
}
