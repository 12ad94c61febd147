using LocalPlus.Giftcard.Cards;
using LocalPlus.Giftcard.Ledger;
using LocalPlus.Giftcard.Programs;
using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Operations;

/// <summary>Where value that is loaded comes from.</summary>
internal enum LoadKind
{
    /// <summary>The holder paid for it.</summary>
    Paid,

    /// <summary>A present of the merchant, to bring people in.</summary>
    Promo,

    /// <summary>A present of the merchant, to make good for something.</summary>
    Goodwill,

    /// <summary>What was paid elsewhere by other means comes back on the card.</summary>
    Refund,
}

/// <summary>
/// POST /v1/gift_cards/{id}/load: adds value, paid, given, or refunded from another tender; presents may expire before
/// the card does; a refund also goes to cards that are not reloadable. Refusals: not_found, gift_card_state,
/// gift_card_busy, program_state (not reloadable), currency_mismatch, limit_exceeded, reference_reused,
/// terminal_blocked.
/// </summary>
internal static class LoadGiftCard
{
    public static IEndpointRouteBuilder MapLoadGiftCard(this IEndpointRouteBuilder group)
    {
        group
            .MapPost("/gift_cards/{id}/load", HandleAsync)
            .RequireScope("gift_cards:write")
            .Limited(RateLimit.Sale)
            .RequireIdempotencyKey()
            .Refuses([.. Faults.OfCardOperations, Faults.CurrencyMismatch, Faults.ProgramState, Faults.TerminalBlocked])
            .WithName(nameof(LoadGiftCard))
            .Produces<CardView>();
        return group;
    }

    internal sealed record Request(
        Money Amount,
        LoadKind Kind = LoadKind.Paid,
        DateTimeOffset? ExpiresAt = null,
        string? Reference = null,
        string? Reason = null,
        LocationId? LocationId = null,
        TerminalId? TerminalId = null
    );

    private static Task<IResult> HandleAsync(
        HttpContext http,
        GiftCardId id,
        Request request,
        OperationRequests requests,
        LedgerAccounts accounts,
        SellGiftCard.Intake sales,
        TimeProvider time,
        CancellationToken cancel
    )
    {
        new FieldChecks()
            .Positive(request.Amount, "/amount")
            .Require(
                request.ExpiresAt is null || request.Kind is LoadKind.Promo or LoadKind.Goodwill,
                "/expires_at",
                "only_promo_and_goodwill"
            )
            .Require(request.ExpiresAt is null || request.ExpiresAt > time.GetUtcNow(), "/expires_at", "past")
            .Text(request.Reference, "/reference", GiftcardLimits.ReferenceLength)
            .Text(request.Reason, "/reason", GiftcardLimits.ReasonLength)
            .ThrowIfAny();
        return requests.RunAsync(
            http,
            id,
            request,
            async file =>
            {
                file.Require(CardStatus.Active);
                ProgramTerms.CheckLoad(
                    file.Program,
                    request.Amount,
                    file.Balance + file.Held,
                    isRefund: request.Kind == LoadKind.Refund
                );
                var merchant = http.GetMerchant().MerchantId;
                var till = await sales.TillAsync(merchant, request.LocationId, request.TerminalId, cancel);
                var books = await accounts.BooksAsync(merchant, file.Card.Currency, cancel);
                var plan = new PlanWriter(time);
                var expiry = Earlier(request.ExpiresAt, file.Card.ExpiresAt);
                var lot = plan.LotAccount(id, file.Lots, Wire.Name(request.Kind), expiry);
                plan.Post(
                        request.Kind is LoadKind.Paid or LoadKind.Refund ? books.Clearing : books.PromoExpense,
                        lot,
                        request.Amount.MinorUnits
                    )
                    .Card(new(id, "load", request.Amount.MinorUnits, "gift_card.loaded"));
                return new(
                    "load",
                    plan.Plan() with
                    {
                        Till = till,
                    },
                    request.Amount.MinorUnits,
                    request.Reference,
                    request.Reason
                );
            },
            cancel
        );
    }

    private static DateTimeOffset? Earlier(DateTimeOffset? one, DateTimeOffset? other) =>
        one is null ? other
        : other is null || one < other ? one
        : other;
}
