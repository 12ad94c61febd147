using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Merchant;
using LocalPlus.Wallet;
using LocalPlus.Wallet.Balances;
using LocalPlus.Wallet.Erasure;
using LocalPlus.Wallet.Members;
using LocalPlus.Wallet.Points;
using LocalPlus.Wallet.Programs;

namespace LocalPlus.Tests.Contract;

public sealed class WalletAndMerchantEventTests
{
    private static readonly TimeProvider Time = TimeProvider.System;

    [Theory]
    [InlineData("test", "en")]
    [InlineData("live", "fr")]
    public void An_onboarding_follows_its_schema(string mode, string locale) =>
        EventSchema.Follows(
            "merchant.onboarded.v1",
            EventSchema.Envelope(
                "merchant.onboarded",
                MerchantId.New(Time).ToString(),
                new Onboarded(mode, "FR", Currency.Eur, locale)
            )
        );

    [Theory]
    [InlineData("suspended", MerchantStatus.Suspended)]
    [InlineData("resumed", MerchantStatus.Active)]
    [InlineData("closed", MerchantStatus.Closed)]
    [InlineData("changed", MerchantStatus.Active)]
    public void A_merchant_s_change_follows_its_schema(string action, MerchantStatus status) =>
        EventSchema.Follows(
            Changed.Topic,
            EventSchema.Envelope(
                "merchant.changed",
                MerchantId.New(Time).ToString(),
                new Changed(action, status, "test", "FR", Currency.Eur, "fr")
            )
        );

    [Fact]
    public void A_wallet_s_balances_follow_their_schema()
    {
        var wallet = WalletId.New(Time);
        EventSchema.Follows(
            "wallet.balance-updated.v1",
            EventSchema.Envelope(
                "wallet.balance_updated",
                wallet.ToString(),
                new WalletBalances.Updated(
                    wallet,
                    CustomerId.New(Time),
                    [new("EUR", 5000, 4000, 1000), new("USD", -1, 0, 0)],
                    [new(MemberId.New(Time), ProgramId.New(Time), -2, 0, 0, 7)]
                )
            )
        );
        EventSchema.Follows(
            "wallet.balance-updated.v1",
            EventSchema.Envelope(
                "wallet.balance_updated",
                wallet.ToString(),
                new WalletBalances.Updated(wallet, CustomerId.New(Time), [], [])
            )
        );
    }

    [Theory]
    [InlineData("active")]
    [InlineData("closed")]
    public void A_changed_programme_follows_its_schema(string state)
    {
        var program = ProgramId.New(Time);
        EventSchema.Follows(
            LoyaltyProgramChanged.Topic,
            EventSchema.Envelope(
                "loyalty_program.changed",
                program.ToString(),
                new LoyaltyProgramChanged(program, state)
            )
        );
    }

    [Fact]
    public void An_erasure_follows_its_schema()
    {
        var customer = CustomerId.New(Time);
        EventSchema.Follows(
            "customer.erased.v1",
            EventSchema.Envelope("customer.erased", customer.ToString(), new Eraser.Erased(customer, Time.GetUtcNow()))
        );
    }

    [Fact]
    public void A_member_s_news_follow_their_schema()
    {
        var (member, program) = (MemberId.New(Time), ProgramId.New(Time));
        var movement = new MemberEvents.MovementNews(
            MovementId.New(Time).ToString(),
            MovementKind.TakeBack,
            -3,
            0,
            -6,
            "EUR"
        );
        Follows(MemberEvents.Enrolled, new(member, program, "active", null, 0, 0, 0));
        Follows(MemberEvents.PointsChanged, new(member, program, "active", "gold", 12, 4, 0, movement));
        Follows(MemberEvents.TierChanged, new(member, program, "active", "gold", 12, 4, 0));
        Follows(MemberEvents.Left, new(member, program, "left", null, 0, 0, 7));

        void Follows(string type, MemberEvents.Data data) =>
            EventSchema.Follows("wallet.members.v1", EventSchema.Envelope(type, member.ToString(), data));
    }
}
