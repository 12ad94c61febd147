using System.Text.Json;
using LocalPlus.Giftcard.Cards;
using LocalPlus.Giftcard.Redemptions;
using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Ledger.Commit;
using LocalPlus.Merchant;
using LocalPlus.Wallet.Erasure;
using InAnalytics = LocalPlus.Analytics.Intake;
using InGiftcard = LocalPlus.Giftcard.Holders;
using InNotification = LocalPlus.Notification.Intake;
using InWallet = LocalPlus.Wallet.Balances;

namespace LocalPlus.Tests.Contract;

/// <summary>
/// Each consumer understands what its producer really writes: the producer's record, through JSON, into the consumer's.
/// </summary>
public sealed class ConsumerTests
{
    private static readonly TimeProvider Time = TimeProvider.System;
    private static readonly GiftCardId Card = GiftCardId.New(Time);
    private static readonly CustomerId Holder = CustomerId.New(Time);

    private static readonly CardEventData CardEvent = new(Card, ProgramId.New(Time), "7Q2M", 5000, "EUR", Holder);

    private static readonly RedemptionEventData RedemptionEvent = new(
        RedemptionId.New(Time),
        [Card],
        1000,
        "EUR",
        null,
        "completed",
        "immediate",
        null,
        1000,
        1000,
        0,
        [new(Card, 1000)]
    );

    private static readonly TransactionPosted LedgerEvent = new(
        TransactionId.New(Time),
        EntryId.New(Time),
        AccountId.New(Time),
        $"card:{Card}:paid",
        "EUR",
        "load",
        "ref",
        5000,
        7000,
        0,
        null,
        Time.GetUtcNow(),
        Time.GetUtcNow(),
        null,
        null
    );

    [Fact]
    public void Cards_are_understood_by_wallet_notification_and_analytics()
    {
        var wallet = Read<InWallet.OnCardEvent.Data>(CardEvent);
        Assert.Equal(
            (Card, CardEvent.ProgramId, "7Q2M", "EUR", Holder),
            (wallet.GiftCardId, wallet.ProgramId, wallet.Last4, wallet.Currency, wallet.CustomerId)
        );
        var notification = Read<InNotification.OnCardEvent.Data>(CardEvent);
        Assert.Equal(
            (Card, "7Q2M", 5000, "EUR", Holder),
            (
                notification.GiftCardId,
                notification.Last4,
                notification.Amount,
                notification.Currency,
                notification.CustomerId
            )
        );
        var analytics = Read<InAnalytics.OnCardEvent.Data>(CardEvent);
        Assert.Equal((Card, 5000, "EUR"), (analytics.GiftCardId, analytics.Amount, analytics.Currency));
    }

    [Fact]
    public void A_card_of_nobody_without_an_amount_is_understood_too()
    {
        var bare = CardEvent with { Amount = null, CustomerId = null };

        Assert.Null(Read<InWallet.OnCardEvent.Data>(bare).CustomerId);
        Assert.Null(Read<InNotification.OnCardEvent.Data>(bare).CustomerId);
        Assert.Null(Read<InAnalytics.OnCardEvent.Data>(bare).Amount);
    }

    [Fact]
    public void A_card_that_ends_soon_is_understood_by_notification()
    {
        var end = new DateTimeOffset(2030, 12, 31, 0, 0, 0, TimeSpan.Zero);
        var read = Read<InNotification.OnCardEvent.Data>(
            CardEvent with
            {
                Amount = null,
                ExpiresAt = end,
                Balance = 700,
            }
        );

        Assert.Equal((Holder, end, 700), (read.CustomerId, read.ExpiresAt, read.Balance));
    }

    [Fact]
    public void Redemptions_are_understood_by_notification_and_analytics()
    {
        var notification = Read<InNotification.OnRedemptionEvent.Data>(RedemptionEvent);
        Assert.Equal(
            (RedemptionEvent.RedemptionId, Card, 1000, "EUR"),
            (notification.RedemptionId, notification.GiftCardIds[0], notification.Amount, notification.Currency)
        );
        Assert.Equal((Card, 1000), (notification.Sources![0].GiftCardId, notification.Sources[0].Amount));
        var analytics = Read<InAnalytics.OnRedemptionEvent.Data>(RedemptionEvent);
        Assert.Equal(
            (RedemptionEvent.RedemptionId, 1000, "EUR"),
            (analytics.RedemptionId, analytics.Amount, analytics.Currency)
        );
    }

    [Fact]
    public void What_is_held_and_whose_points_moved_is_understood_by_wallet()
    {
        var held = new AccountHeld(AccountId.New(Time), $"card:{Card}:paid", "EUR", 1500);
        var read = Read<InWallet.OnAccountHeld.Data>(held);
        Assert.Equal(
            (held.AccountId, held.AccountName, "EUR", 1500),
            (read.AccountId, read.AccountName, read.Asset, read.Held)
        );
        var member = new LocalPlus.Wallet.Members.MemberEvents.Data(
            MemberId.New(Time),
            ProgramId.New(Time),
            "active",
            null,
            1,
            0,
            0
        );
        Assert.Equal(member.MemberId, Read<InWallet.OnMemberEvent.Data>(member).MemberId);
    }

    [Fact]
    public void Ledger_entries_are_understood_by_wallet_and_analytics()
    {
        var wallet = Read<InWallet.OnLedgerTransaction.Data>(LedgerEvent);
        Assert.Equal((LedgerEvent.AccountId, "EUR", 7000), (wallet.AccountId, wallet.Asset, wallet.BalanceAfter));
        Assert.Equal(Card, InWallet.CardAccount.CardOf(wallet.AccountName));
        var analytics = Read<InAnalytics.OnLedgerTransaction.Data>(LedgerEvent);
        Assert.Equal((LedgerEvent.TransactionId, "EUR"), (analytics.TransactionId, analytics.Asset));
    }

    [Fact]
    public void An_onboarding_is_understood_by_notification() =>
        Assert.NotNull(Read<InNotification.OnMerchantOnboarded.Data>(new Onboarded("test", "FR", Currency.Eur, "fr")));

    [Fact]
    public void A_wallet_s_balance_is_understood_by_the_wallet_that_drops_its_copy() =>
        Assert.Equal(
            Holder,
            Read<InWallet.OnBalanceUpdated.Data>(
                new InWallet.WalletBalances.Updated(WalletId.New(Time), Holder, [new("EUR", 5000, 0, 5000)], [])
            ).CustomerId
        );

    [Fact]
    public void An_erasure_is_understood_by_giftcard_and_notification()
    {
        var erased = new Eraser.Erased(Holder, DateTimeOffset.UnixEpoch);
        var giftcard = Read<InGiftcard.OnCustomerErased.Data>(erased);
        Assert.Equal((erased.CustomerId, erased.ErasedAt), (giftcard.CustomerId, giftcard.ErasedAt));
        var notification = Read<LocalPlus.Notification.Holders.OnCustomerErased.Data>(erased);
        Assert.Equal((erased.CustomerId, erased.ErasedAt), (notification.CustomerId, notification.ErasedAt));
    }

    private static T Read<T>(object written) =>
        JsonSerializer.Deserialize<T>(
            JsonSerializer.SerializeToUtf8Bytes(written, StrictJson.Options),
            StrictJson.Lenient
        )!;
}
