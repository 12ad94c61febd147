using LocalPlus.Wallet.Customers;

namespace LocalPlus.Tests.Unit.Wallet;

public sealed class EmailAddressTests
{
    [Theory]
    [InlineData("anna@example.test")]
    [InlineData("a.b+tag@sub.example.co")]
    [InlineData("o'brien@example.test")]
    public void Ordinary_addresses_pass(string address) => Assert.True(EmailAddress.IsValid(address));

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("anna")]
    [InlineData("anna@localhost")]
    [InlineData("anna@example.test\r\nBcc: all@example.test")]
    [InlineData("anna@example.test\n")]
    [InlineData("Anna <anna@example.test>")]
    [InlineData("a@b@example.test")]
    [InlineData("a,b@example.test")]
    [InlineData("a;b@example.test")]
    [InlineData("änna@example.test")]
    [InlineData("anna@exämple.test")]
    public void What_could_break_a_mail_header_or_names_two_people_is_refused(string? address) =>
        Assert.False(EmailAddress.IsValid(address));

    [Fact]
    public void Endless_addresses_are_refused() =>
        Assert.False(EmailAddress.IsValid($"a@{string.Join('.', Enumerable.Repeat("example", 40))}.test"));
}
