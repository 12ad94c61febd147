using LocalPlus.Hosting;

namespace LocalPlus.Tests.Unit.Hosting;

public sealed class EmailAddressTests
{
    [Theory]
    [InlineData("anna@example.test")]
    [InlineData("a.b+tag@sub.example.co")]
    [InlineData("o'brien@example.test")]
    public void Ordinary_addresses_pass_as_they_are(string address)
    {
        Assert.True(EmailAddress.TryParse(address, out var read));
        Assert.Equal(address, read);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("anna")]
    [InlineData("@example.test")]
    [InlineData("anna@localhost")]
    [InlineData("anna@example.test\r\nBcc: all@example.test")]
    [InlineData("anna@example.test\n")]
    [InlineData("Anna <anna@example.test>")]
    [InlineData("a@b@example.test")]
    [InlineData("a,b@example.test")]
    [InlineData("a;b@example.test")]
    [InlineData("änna@example.test")]
    [InlineData("anna@exa\u0308mple.test")]
    [InlineData("anna@exä mple.test")]
    [InlineData("anna@exä\u200dmple.test")]
    [InlineData("anna@ä..test")]
    [InlineData("anna@ä\n.test")]
    public void What_could_break_a_mail_header_or_names_two_people_is_refused(string? address) =>
        Assert.False(EmailAddress.TryParse(address, out _));

    [Theory]
    [InlineData("jo@bücher.example", "jo@xn--bcher-kva.example")]
    [InlineData("jo@BÜCHER.Example", "jo@xn--bcher-kva.example")]
    [InlineData("jo@xn--bcher-kva.example", "jo@xn--bcher-kva.example")]
    [InlineData("jo@XN--BCHER-KVA.EXAMPLE", "jo@xn--bcher-kva.example")]
    [InlineData("jo@例え。テスト", "jo@xn--r8jz45g.xn--zckzah")]
    [InlineData("jo@пример.испытание", "jo@xn--e1afmkfd.xn--80akhbyknj4f")]
    public void Fault_27_A_domain_in_its_own_script_and_in_ASCII_is_one(string written, string kept)
    {
        Assert.True(EmailAddress.TryParse(written, out var read));
        Assert.Equal(kept, read);
    }

    [Fact]
    public void Endless_addresses_are_refused()
    {
        Assert.False(EmailAddress.TryParse($"a@{string.Join('.', Enumerable.Repeat("example", 40))}.test", out _));
        Assert.False(EmailAddress.TryParse($"a@{new string('ä', 70)}.test", out _));
    }
}
