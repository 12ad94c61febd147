using LocalPlus.Hosting;
using LocalPlus.Kernel;
using Npgsql;

namespace LocalPlus.Giftcard.Rewards;

/// <summary>
/// POST /v1/rewards: something to show and to give: a picture, words, and value that goes onto a card as a present. Refusals:
/// invalid_request, reference_reused.
/// </summary>
internal static class CreateReward
{
    public static void MapCreateReward(this IEndpointRouteBuilder group) =>
        group.MapPost("/rewards", HandleAsync).RequireScope("programs:write").WithName(nameof(CreateReward))
            .Produces<RewardView>(StatusCodes.Status201Created);

    /// <param name="ValidityDays">How long the present is good once it is on a card; as long as the card without it.</param>
    /// <param name="Quantity">How many there are; as many as wanted without it.</param>
    internal sealed record Request(
        string Name,
        Money Amount,
        string? Description = null,
        string? ImageUrl = null,
        int? ValidityDays = null,
        int? Quantity = null,
        string? Reference = null);

    private static Task<IResult> HandleAsync(
        HttpContext http, Request request, IdempotentRequests requests, TimeProvider time, CancellationToken cancel)
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
        return requests.ExecuteAsync(http, request, db => InsertAsync(db, http.GetMerchant().MerchantId, request, time), cancel);
    }

    private static async Task<Answer> InsertAsync(DbSession db, MerchantId merchant, Request request, TimeProvider time)
    {
        var now = time.GetUtcNow();
        var row = new RewardRow(
            Guid.CreateVersion7(now), merchant.Value, request.Name, request.Description, request.ImageUrl, "active",
            request.Amount.MinorUnits, request.Amount.Currency.Code, request.ValidityDays, request.Quantity, Granted: 0,
            request.Reference, Version: 1, now);
        try
        {
            await db.ExecuteAsync(Sql.Insert, row);
        }
        catch (PostgresException taken) when (taken.ConstraintName == "ix_rewards_merchant_id_reference")
        {
            throw new FaultException(CommonFaults.ReferenceReused, "Another reward has this reference.");
        }

        return Answer.Created($"/v1/rewards/{new RewardId(row.RewardId)}", row.ToView(), row.Version);
    }

    private static class Sql
    {
        public const string Insert =
            """
            INSERT INTO rewards (reward_id, merchant_id, name, description, image_url, status, amount, currency, validity_days,
                   quantity, reference, created_at)
            VALUES (@RewardId, @MerchantId, @Name, @Description, @ImageUrl, @Status, @Amount, @Currency, @ValidityDays,
                   @Quantity, @Reference, @CreatedAt)
            """;
    }
}

/// <summary>
/// PATCH /v1/rewards/{id}: other words, another picture, or closed. What it is worth stays what people were shown. Refusals:
/// not_found, if_match_required, version_conflict, invalid_request.
/// </summary>
internal static class ChangeReward
{
    public static void MapChangeReward(this IEndpointRouteBuilder group) =>
        group.MapPatch("/rewards/{id}", HandleAsync).RequireScope("programs:write").WithName(nameof(ChangeReward))
            .Produces<RewardView>();

    internal enum Status
    {
        Active,
        Closed,
    }

    internal sealed record Request(string? Name = null, string? Description = null, string? ImageUrl = null, Status? Status = null);

    private static async Task<IResult> HandleAsync(
        HttpContext http, RewardId id, Request request, Database database, CancellationToken cancel)
    {
        new FieldChecks()
            .Text(request.Name, "/name", GiftcardLimits.NameLength)
            .Text(request.Description, "/description", GiftcardLimits.MessageLength)
            .WebAddress(request.ImageUrl, "/image_url")
            .ThrowIfAny();
        var version = http.RequireIfMatch();
        var key = new { RewardId = id.Value, MerchantId = http.GetMerchant().MerchantId.Value };
        await using var db = await database.BeginAsync(cancel);
        var row = await db.QuerySingleOrDefaultAsync<RewardRow>(Sql.Lock, key)
            ?? throw new FaultException(CommonFaults.NotFound, "There is no such reward.");
        if (row.Version != version)
        {
            throw new FaultException(CommonFaults.VersionConflict, $"The reward's version is {row.Version}.");
        }

        await db.ExecuteAsync(Sql.Change, new
        {
            key.RewardId, request.Name, request.Description, request.ImageUrl,
            Status = request.Status is { } status ? Wire.Name(status) : null,
        });
        var changed = await db.QuerySingleAsync<RewardRow>(Sql.Lock, key);
        await db.CommitAsync();
        return Answer.Ok(changed.ToView(), changed.Version);
    }

    private static class Sql
    {
        public const string Lock =
            $"""
             {RewardRow.Columns}
              WHERE r.reward_id = @RewardId
                AND r.merchant_id = @MerchantId
                FOR NO KEY UPDATE
             """;

        public const string Change =
            """
            UPDATE rewards
               SET name = coalesce(@Name, name),
                   description = coalesce(@Description, description),
                   image_url = coalesce(@ImageUrl, image_url),
                   status = coalesce(@Status, status),
                   version = version + 1
             WHERE reward_id = @RewardId
            """;
    }
}
