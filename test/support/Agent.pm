# What the Perl programs of the tests share: commands on standard input, and addresses of both families. All of it is in
# perl-base.
package Agent;
use strict;
use warnings;
use Exporter 'import';
use Socket qw(:DEFAULT inet_pton);

our @EXPORT = qw(MOST_BYTES command_reader clock_s domain address checksum);

# What is read at once.
use constant MOST_BYTES => 65536;

# Reads what has come on standard input, and obeys each line of it; ends with it. The last line of an answer is ".".
sub command_reader {
    my ($obey) = @_;
    my $unread = '';
    return sub {
        sysread(STDIN, $unread, MOST_BYTES, length $unread) or exit;
        while ($unread =~ s/^(.*)\n//) {
            $obey->(split / /, $1);
            print ".\n";
        }
    };
}

# Seconds, and never set back.
sub clock_s {
    open(my $uptime, '<', '/proc/uptime') or die $!;
    return (split / /, <$uptime>)[0];
}

sub domain { return $_[0] =~ /:/ ? AF_INET6 : AF_INET }

sub address {
    my ($text, $port) = @_;
    return pack_sockaddr_in($port, inet_pton(AF_INET, $text)) if domain($text) == AF_INET;
    return pack_sockaddr_in6($port, inet_pton(AF_INET6, $text));
}

# RFC 1071.
sub checksum {
    my $sum = unpack '%32n*', shift;
    $sum = ($sum >> 16) + ($sum & 0xffff) while $sum >> 16;
    return ~$sum & 0xffff;
}

1;
