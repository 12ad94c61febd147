using System.Text.Json;
using LocalPlus.Giftcard.Cards;
using LocalPlus.Giftcard.Ledger;
using LocalPlus.Giftcard.Programs;
using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Operations;

/// <summary>
/// POST /v1/gift_cards: sells a card. With an amount it is activated at once (the value goes from clearing to the card
/// in the ledger), without it waits for its activation. The code, and a PIN if the programme wants one, are in this
/// answer and nowhere else; for a day a repeat with the same key gets them again. With a delivery the card is digital:
/// its code is sent to the recipient by mail, at once or at a time, and is not in the answer. Refusals: not_found
/// (programme), program_state, currency_mismatch, limit_exceeded, reference_reused, terminal_blocked, busy (wallet or
/// ledger away).
/// </summary>
internal static class SellGiftCard
{
    private const string Route = "/v1/gift_cards";

    public static IEndpointRouteBuilder MapSellGiftCard(this IEndpointRouteBuilder group)
    {
        group
            .MapPost("/gift_cards", HandleAsync)
            .RequireScope("gift_cards:write")
            .Limited(RateLimit.Sale)
            .RequireIdempotencyKey()
            .Refuses(
                CommonFaults.NotFound,
                Faults.ProgramState,
                Faults.CurrencyMismatch,
                Faults.LimitExceeded,
                CommonFaults.ReferenceReused,
                Faults.OperationFailed,
                Faults.TerminalBlocked
            )
            .WithName(nameof(SellGiftCard))
            .Produces<CardView>(StatusCodes.Status201Created);
        return group;
    }

    /// <summary>
    /// Who gets the card. The address goes to the wallet, which answers with a customer id; only that stays
    /// here.
    /// </summary>
    internal sealed record Recipient(string Email, string? Name = null);

    internal sealed record Request(
        ProgramId ProgramId,
        Money? Amount = null,
        Recipient? Recipient = null,
        CustomerId? CustomerId = null,
        Delivery? Delivery = null,
        string? Pin = null,
        string? Reference = null,
        IReadOnlyDictionary<string, string>? Metadata = null,
        LocationId? LocationId = null,
        TerminalId? TerminalId = null
    )
    {
        public void Check(DateTimeOffset now)
        {
            var checks = new FieldChecks()
                .Positive(Amount, "/amount")
                .Require(Recipient is null || CustomerId is null, "/recipient", "recipient_or_customer")
                .Text(Recipient?.Email, "/recipient/email", 254)
                .Text(Recipient?.Name, "/recipient/name", 200)
                .Require(
                    Delivery is null || Recipient is not null || CustomerId is not null,
                    "/delivery",
                    "recipient_missing"
                )
                .Require(Delivery is null || Amount is not null, "/delivery", "amount_missing")
                .Require(Pin is null || IsPin(Pin), "/pin", "digits")
                .Text(Reference, "/reference", GiftcardLimits.ReferenceLength)
                .Metadata(Metadata);
            Delivery?.Check(checks, now);
            checks.ThrowIfAny();
        }

        private static bool IsPin(string pin) =>
            pin.Length is >= CardSecrets.MinPinLength and <= CardSecrets.MaxPinLength && pin.All(char.IsAsciiDigit);
    }

    private static async Task<IResult> HandleAsync(
        HttpContext http,
        Request request,
        Intents intents,
        OperationDriver operations,
        Intake intake,
        HandOver handOver,
        TimeProvider time,
        CancellationToken cancel
    )
    {
        var key = RequestKey.Of(http, request);
        request.Check(time.GetUtcNow());
        var answer = await intents.OnceAsync(
            key,
            Route,
            intent => operations.FindAsync(intent, cancel),
            () => intake.AcceptAsync(key, request, cancel),
            operation => operations.DriveAsync(operation, CancellationToken.None),
            cancel
        );
        return await handOver.AddCodeAsync(answer, CancellationToken.None);
    }

    /// <summary>Makes the card and the operation that fills it, in one transaction.</summary>
    internal sealed class Intake(
        Database database,
        Intents intents,
        OperationDriver operations,
        CardMaker maker,
        LedgerAccounts accounts,
        WalletCustomers wallet,
        Ownership ownership,
        CardDeliveries deliveries,
        Terminals terminals,
        TimeProvider time
    )
    {
        public async Task<CardOperationRow> AcceptAsync(RequestKey key, Request request, CancellationToken cancel)
        {
            var program =
                await database.QuerySingleOrDefaultAsync<ProgramRow>(
                    Sql.Program,
                    new { request.ProgramId, MerchantId = key.Merchant },
                    cancel
                ) ?? throw new FaultException(CommonFaults.NotFound, "There is no such programme.");
            ProgramTerms.CheckSale(program, request.Amount);
            var till = await TillAsync(key.Merchant, request.LocationId, request.TerminalId, cancel);
            if (request.CustomerId is { } named)
            {
                await ownership.RequireCustomerAsync(key.Merchant, named, cancel);
            }

            var customer =
                request.CustomerId
                ?? (
                    request.Recipient is { } recipient
                        ? await wallet.FindOrAddAsync(key.Merchant, recipient.Email, recipient.Name, cancel)
                        : (CustomerId?)null
                );
            var card = maker.New();
            var expiry = program.Terms.ValidityDays is { } days
                ? time.GetUtcNow().AddDays(days)
                : (DateTimeOffset?)null;
            var plan = request.Amount is { } amount
                ? await ActivationPlanAsync(key.Merchant, card.Id, amount, expiry, cancel)
                : CardPlan.Of(new(card.Id, "create", 0, "gift_card.created"), StatusCodes.Status201Created);
            var operation = operations.New(
                key.Merchant,
                card.Id,
                request.Amount is null ? "create" : "activate",
                request.Amount?.MinorUnits ?? 0,
                program.About.Currency,
                plan with
                {
                    Till = till,
                },
                key,
                request.Reference
            );
            var metadata = request.Metadata is null
                ? null
                : JsonSerializer.Serialize(request.Metadata, StrictJson.Options);

            await using var db = await database.BeginAsync(cancel);
            await intents.ClaimAsync(db, key, operation.OperationId);
            await maker.InsertAsync(db, [card], program, Terms(request, customer, expiry, metadata));
            if (request.Delivery is { } delivery)
            {
                await deliveries.ScheduleAsync(db, key.Merchant, card.Id, request.Amount!.Value, delivery);
            }

            await operations.AcceptAsync(db, operation);
            await db.CommitAsync();
            return operation;
        }

        private CardTerms Terms(Request request, CustomerId? customer, DateTimeOffset? expiry, string? metadata)
        {
            var terms = new CardTerms(customer, expiry, request.Reference, metadata, request.Pin);
            return request.Delivery is { } delivery
                ? terms with
                {
                    Purpose = SealPurpose.Delivery,
                    SealedUntil = (delivery.DeliverAt ?? time.GetUtcNow()) + GiftcardLimits.DeliveryLife,
                }
                : terms;
        }

        /// <summary>The till that is named; refuses as a redemption does with one that is not the merchant's.</summary>
        public async Task<PointOfSale?> TillAsync(
            MerchantId merchant,
            LocationId? location,
            TerminalId? terminal,
            CancellationToken cancel
        )
        {
            await terminals.RequireAsync(merchant, terminal, location, cancel);
            return location is null && terminal is null ? null : new(location, terminal);
        }

        /// <summary>Opens the card's paid account and moves the value there.</summary>
        public async Task<CardPlan> ActivationPlanAsync(
            MerchantId merchant,
            GiftCardId card,
            Money amount,
            DateTimeOffset? expiry,
            CancellationToken cancel,
            int answerStatus = StatusCodes.Status201Created
        )
        {
            var books = await accounts.BooksAsync(merchant, amount.Currency.Code, cancel);
            var account = AccountId.New(time);
            return new(
                [new(account, $"card:{card}:paid")],
                [new(books.Clearing, account, amount.MinorUnits)],
                [],
                [new(LotId.New(time), card, "paid", account, expiry)],
                [new(card, "activate", amount.MinorUnits, "gift_card.activated", CardStatus.Active, expiry)],
                answerStatus
            );
        }
    }

    private static class Sql
    {
        public const string Program = $"""
            {ProgramRow.Columns}
             WHERE p.program_id = @ProgramId
               AND p.merchant_id = @MerchantId
            """;
    }
}
