using LocalPlus.Kernel;
using LocalPlus.Wallet.Balances;

namespace LocalPlus.Tests.Unit.Wallet;

public sealed class CardAccountTests
{
    private static readonly GiftCardId Card = new(Guid.Parse("0197c0de-0000-7000-8000-00000000000c"));

    [Theory]
    [InlineData(":paid")]
    [InlineData(":promo:2")]
    [InlineData("")]
    public void A_card_s_account_names_its_card(string lot) =>
        Assert.Equal(Card, CardAccount.CardOf($"card:{Card}{lot}"));

    [Theory]
    [InlineData("merchant:payable")]
    [InlineData("clearing")]
    [InlineData("card:")]
    [InlineData("card:acc_01jz0dw00071r8000000000001:paid")]
    [InlineData("")]
    public void Other_accounts_name_none(string name) => Assert.Null(CardAccount.CardOf(name));
}
