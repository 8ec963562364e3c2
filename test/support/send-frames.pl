#!/usr/bin/perl
# send-frames.pl LINK: sends the frames of its standard input, one in hexadecimal digits a line, by that link of the network
# namespace where it is started, and prints how many it has sent. What a container with NET_RAW can do.
use strict;
use warnings;
use Socket qw(SOCK_RAW);

# Numbers of Linux: include/linux/socket.h, include/uapi/linux/sockios.h.
use constant { AF_PACKET => 17, SIOCGIFINDEX => 0x8933 };

my ($link) = @ARGV;
# The protocol 0: it sends, and receives nothing.
socket(my $raw, AF_PACKET, SOCK_RAW, 0) or die "socket: $!";
my $request = pack 'a16 x24', $link;
ioctl($raw, SIOCGIFINDEX, $request) or die "$link: $!";
my $index = unpack 'x16 i', $request;
# struct sockaddr_ll, include/uapi/linux/if_packet.h.
my $to = pack 'S n i S C C a8', AF_PACKET, 0, $index, 0, 0, 6, '';
my $sent = 0;
while (my $line = <STDIN>) {
    chomp $line;
    defined send($raw, pack('H*', $line), 0, $to) or die "send: $!";
    $sent++;
}
print "$sent\n";
